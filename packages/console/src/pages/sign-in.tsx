import { useState } from 'react';
import { signIn } from '../api/session.ts';
import { Mark } from '../ui/shell.tsx';

export default function SignIn() {
  const [refusal, setRefusal] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (form: FormData): Promise<void> => {
    setBusy(true);
    const key = form.get('key');
    setRefusal(await signIn(typeof key === 'string' ? key.trim() : ''));
    setBusy(false);
  };
  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <Mark />
        <h1>Sign in to Paybell</h1>
        <label htmlFor="key">Admin key</label>
        <input
          id="key"
          name="key"
          type="password"
          autoComplete="current-password"
          required
          autoFocus
          spellCheck={false}
          aria-describedby="key-hint"
        />
        {refusal !== null && (
          <p className="says bad" role="alert">
            {refusal}
          </p>
        )}
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        <p id="key-hint" className="hint">
          The terminal where <code>paybell start</code> runs prints a link that signs you in. The key is also kept in the data folder (
          <code>./data</code>) and may be set with <code>PAYBELL_ADMIN_KEY</code>.
        </p>
      </form>
    </main>
  );
}
