/** Time that passes from one happening to the next: what is due is run in order, and everything that follows from it before the next. */
export interface Loop {
  now(): number;
  /** Runs once, `ms` from now; the answer takes it back. */
  after(ms: number, run: () => void): () => void;
  /** Nothing happens until this is done: for work of the real world. */
  hold(work: Promise<void>): void;
  /** Runs what is due until then. */
  until(at: number): Promise<void>;
  /** Happenings so far. */
  readonly count: number;
}

interface Happening {
  readonly at: number;
  readonly run: () => void;
  gone: boolean;
}

/** Lets every promise that can go on go on: what `nextTick` is given runs when no promise has anything left to do, and costs no turn of the real loop. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export function createLoop(start: number, most: number): Loop {
  let now = start;
  let count = 0;
  let held: Promise<void> | null = null;
  // In order of time, and of making where two are due at once.
  const line: Happening[] = [];

  function place(happening: Happening): void {
    let low = 0;
    let high = line.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((line[middle] as Happening).at <= happening.at) low = middle + 1;
      else high = middle;
    }
    line.splice(low, 0, happening);
  }

  return {
    now: () => now,
    after(ms, run) {
      const happening = { at: now + Math.max(0, Math.round(ms)), run, gone: false };
      place(happening);
      return () => void (happening.gone = true);
    },
    hold(work) {
      held = held === null ? work : held.then(() => work);
    },
    async until(at) {
      await settled();
      for (let next = line[0]; next !== undefined && next.at <= at; next = line[0]) {
        line.shift();
        if (next.gone) continue;
        if ((count += 1) > most) throw new Error(`More than ${most} happenings: something goes round in circles.`);
        now = next.at;
        next.run();
        await settled();
        while (held !== null) {
          const work: Promise<void> = held;
          held = null;
          await work;
          await settled();
        }
      }
      now = Math.max(now, at);
    },
    get count() {
      return count;
    },
  };
}
