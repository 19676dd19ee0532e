import { isOlder, type Batch, type LiveRows, type Topic } from './stream.ts';

interface Arrived {
  readonly row: LiveRows[Topic];
  readonly at: number;
}

const MAX_RECENT = 1_000;
const recent: Record<Topic, Map<string, Arrived>> = { transaction: new Map(), delivery: new Map(), request: new Map() };

export function remember(batch: Batch, at: number): void {
  for (const topic of ['transaction', 'delivery', 'request'] as const) {
    const rows = recent[topic];
    for (const row of batch[topic]) {
      rows.delete(row.id);
      rows.set(row.id, { row, at });
    }
    for (const id of rows.keys()) {
      if (rows.size <= MAX_RECENT) break;
      rows.delete(id);
    }
  }
}

export function forgetRecent(): void {
  for (const rows of Object.values(recent)) rows.clear();
}

export interface Overlay<T extends Topic> {
  readonly topic: T;
  /** When the snapshot was asked for, by the same clock as `remember`. */
  readonly askedAt: number;
  /** Where given: rows that came meanwhile and pass go to the top. */
  readonly admit?: (row: LiveRows[T]) => boolean;
}

/** A snapshot may be older than what the stream brought while it was on its way: the newer row wins. */
export function overlay<T extends Topic>(rows: readonly LiveRows[T][], { topic, askedAt, admit }: Overlay<T>): readonly LiveRows[T][] {
  const known = new Set(rows.map((row) => row.id));
  const newest = rows.map((row) => {
    const live = recent[topic].get(row.id);
    if (live === undefined) return row;
    const wins = 'version' in row ? isOlder(row, live.row) : live.at >= askedAt;
    return wins ? (live.row as LiveRows[T]) : row;
  });
  if (admit === undefined) return newest;
  const added: LiveRows[T][] = [];
  for (const { row, at } of recent[topic].values()) {
    if (at >= askedAt && !known.has(row.id) && admit(row as LiveRows[T])) added.unshift(row as LiveRows[T]);
  }
  return [...added, ...newest];
}

const FRESH_MS = 1_200;

/** Whether the stream brought this row a moment ago. */
export function isFresh(topic: Topic, id: string): boolean {
  const live = recent[topic].get(id);
  return live !== undefined && performance.now() - live.at < FRESH_MS;
}
