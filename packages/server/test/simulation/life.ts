import type { Loop } from './loop.ts';

/** What a run has of one process: from its start to its crash or stop. A dead one hears nothing, and nothing it says is heard. */
export class Life {
  readonly name: string;
  readonly #parts: LifeParts;
  #alive = true;
  #paused = false;
  #waiting: (() => void)[] = [];
  /** As it calls itself in leases. */
  owner = '';
  /** It was stopped at least once: whatever it held may have gone to others. */
  stoodStill = false;
  /** True once it has started and takes calls. */
  ready = false;
  /** True from the moment it was asked to stop. */
  leaving = false;

  constructor(name: string, parts: LifeParts) {
    this.name = name;
    this.#parts = parts;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** A step of the process that the world can see: the moment at which a crash may come. False: it is dead. */
  step(what: string): boolean {
    if (this.#alive && this.#parts.crashesAt(this)) this.die(`crashed at: ${what}`);
    return this.#alive;
  }

  /** Something from outside reaches the process: at once, when it goes on, or never. */
  reach(run: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) this.#waiting.push(run);
    else run();
  }

  /** Stops the process as SIGSTOP does, for so long. */
  pause(ms: number): void {
    if (this.#paused || !this.#alive) return;
    this.#paused = true;
    this.stoodStill = true;
    this.#parts.note(`${this.name} stands still for ${ms} ms`);
    this.#parts.loop.after(ms, () => this.resume());
  }

  resume(): void {
    if (!this.#paused || !this.#alive) return;
    this.#paused = false;
    this.#parts.note(`${this.name} goes on`);
    // One after the other, as an event loop takes them: what one of them sets off runs before the next.
    for (const run of this.#waiting.splice(0)) this.#parts.loop.after(0, () => this.reach(run));
  }

  die(why: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.ready = false;
    this.#waiting = [];
    this.#parts.note(`${this.name} ${why}`);
    this.#parts.died(this);
  }
}

export interface LifeParts {
  readonly loop: Loop;
  readonly note: (text: string) => void;
  /** Whether this step is the last one. */
  readonly crashesAt: (life: Life) => boolean;
  readonly died: (life: Life) => void;
}

/** What a dead process waits for. */
export const NEVER: Promise<never> = new Promise(() => undefined);
