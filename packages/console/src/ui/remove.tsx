import { useState } from 'react';

export interface RemoveProps {
  readonly what: string;
  readonly consequence: string;
  readonly run: () => Promise<void>;
}

/** Asks once more, in place. */
export function Remove({ what, consequence, run }: RemoveProps) {
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  if (!asking) {
    return (
      <button type="button" className="button small quiet-bad" onClick={() => setAsking(true)}>
        Delete this {what}…
      </button>
    );
  }
  const confirm = (): void => {
    run().catch((error: unknown) => setFailure(error instanceof Error ? error.message : 'Not deleted.'));
  };
  return (
    <div className="remove" role="alertdialog" aria-label={`Delete this ${what}`}>
      <p>
        Delete this {what}? {consequence}
      </p>
      {failure !== null && <p className="says bad">{failure}</p>}
      <button type="button" className="button small bad" onClick={confirm} autoFocus>
        Delete
      </button>
      <button type="button" className="button small" onClick={() => setAsking(false)}>
        Keep
      </button>
    </div>
  );
}
