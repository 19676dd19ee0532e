import { useSyncExternalStore } from 'react';

/** Whether a media query holds, kept current. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Too narrow for a list and a detail side by side. */
export const useOnePane = (): boolean => useMedia('(max-width: 900px)');

export const useNarrow = (): boolean => useMedia('(max-width: 760px)');
