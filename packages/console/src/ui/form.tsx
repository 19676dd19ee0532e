import { useState, type ReactNode } from 'react';

export interface FormProps {
  readonly submit: string;
  readonly onSubmit: (form: FormData) => Promise<void>;
  readonly children: ReactNode;
}

/** Sends once, and shows the server's own words where it refuses. */
export function Form({ submit, onSubmit, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const run = async (form: FormData): Promise<void> => {
    setBusy(true);
    setRefusal(null);
    try {
      await onSubmit(form);
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : 'It did not work.');
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void run(new FormData(event.currentTarget));
      }}
    >
      {children}
      {refusal !== null && (
        <p role="alert" className="says bad">
          {refusal}
        </p>
      )}
      <footer>
        <button type="submit" className="button primary" disabled={busy}>
          {submit}
        </button>
      </footer>
    </form>
  );
}
