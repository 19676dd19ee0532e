import { useSyncExternalStore } from 'react';

export type Session = 'opening' | 'in' | 'out';

let session: Session = 'in';
const listeners = new Set<() => void>();

function become(next: Session): void {
  if (session === next) return;
  session = next;
  for (const listener of listeners) listener();
}

export function signedOut(): void {
  become('out');
}

export async function signOut(): Promise<void> {
  await fetch('/v1/session', { method: 'DELETE', credentials: 'same-origin' }).catch(() => null);
  become('out');
}

/** Trades an admin key for the session cookie; answers with a sentence where it is refused. */
export async function signIn(key: string): Promise<string | null> {
  const response = await fetch('/v1/session', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  }).catch(() => null);
  if (response === null) return 'The server did not answer. Check that `paybell start` is running.';
  if (response.status === 401 || response.status === 403) return 'This key is not known here. Copy it again, whole and without spaces.';
  if (!response.ok) return `The server answered ${response.status}. Try again in a moment.`;
  become('in');
  return null;
}

/** Takes the key from a sign-in link (`/#key=...`) and removes it from the address bar before anything else happens. */
export async function openFromLink(): Promise<void> {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return;
  history.replaceState(null, '', location.pathname + location.search);
  become('opening');
  const refused = await signIn(key);
  if (refused !== null) become('out');
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
