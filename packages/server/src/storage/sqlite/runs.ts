import type { DatabaseSync } from 'node:sqlite';

/** Up to which row each index is written. */
export function runsOf(db: DatabaseSync) {
  const read = db.prepare('SELECT upto FROM runs WHERE name = ?');
  const write = db.prepare('INSERT INTO runs (name, upto) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET upto = excluded.upto');
  return {
    upto: (name: string): number => Number(read.get(name)?.['upto'] ?? 0),
    written: (name: string, upto: number): void => void write.run(name, upto),
  };
}

interface RunParts<Line> {
  /** Writes one line; a line may come again after a crash. */
  readonly write: (line: Line) => void;
  /** Notes that the index is whole up to this row. */
  readonly finish: (upto: number) => void;
}

/** Lines at least that a commit writes, so that a run comes to an end where commits are small. */
const LEAST = 64;

/** One run on its way into an index: in the order of the index, some lines with each commit, so that no commit is long for it. */
export class Run<Line> {
  readonly #parts: RunParts<Line>;
  #lines: readonly Line[] = [];
  #upto = 0;
  /** Lines that are on disk, and those that the commit at work has written. */
  #stands = 0;
  #written = 0;

  constructor(parts: RunParts<Line>) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  begin(lines: readonly Line[], upto: number): void {
    this.#lines = lines;
    this.#upto = upto;
    this.#stands = this.#written = 0;
  }

  /** Writes on, within a commit; twice as much as the commit adds, so that it is done before the next run is full. */
  step(added: number): void {
    if (this.isEmpty) return;
    const to = Math.min(this.#lines.length, this.#written + Math.max(LEAST, 2 * added));
    while (this.#written < to) this.#parts.write(this.#lines[this.#written++] as Line);
    if (to === this.#lines.length) this.#parts.finish(this.#upto);
  }

  /** The commit stands, or not; answers whether the whole run now stands. */
  settle(committed: boolean): boolean {
    if (committed) this.#stands = this.#written;
    else this.#written = this.#stands;
    if (this.isEmpty || this.#stands < this.#lines.length) return false;
    this.#lines = [];
    return true;
  }
}
