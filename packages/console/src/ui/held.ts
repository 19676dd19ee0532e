import { useState } from 'react';

export interface Held<Row> {
  readonly shown: readonly Row[];
  /** Rows above that wait until the list is let go. */
  readonly waiting: number;
  release(): void;
}

/** While held, nothing is added above what the reader looks at; rows still change in place. */
export function useHeld<Row extends { readonly id: string }>(rows: readonly Row[], held: boolean): Held<Row> {
  const [anchor, setAnchor] = useState<string | null>(null);
  const first = rows[0]?.id ?? null;
  if (held && anchor === null && first !== null) setAnchor(first);
  if (!held && anchor !== null) setAnchor(null);
  const index =
    anchor === null || anchor === first
      ? 0
      : Math.max(
          0,
          rows.findIndex((row) => row.id === anchor),
        );
  return { shown: index === 0 ? rows : rows.slice(index), waiting: index, release: () => setAnchor(first) };
}
