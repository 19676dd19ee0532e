import { Refusal } from '../refusal.ts';

export type Turn = <Result>(change: () => Promise<Result>) => Promise<Result>;

/** A change is made again so often where other nodes keep being faster. */
const TRIES = 5;

/** Another node changed the row since it was read here. */
class Outdated extends Error {}

/** The version that a save was made as; where it was not made, the change is made again on what stands now. */
export function standing(version: number | null): number {
  if (version === null) throw new Outdated();
  return version;
}

/**
 * Runs changes one after the other: each reads a row, waits for the store and writes the row, and two at once would lose one. Where a
 * change was overtaken by another node, `refresh` reads what that one wrote, and the change is made on top of it.
 */
export function turns(refresh: () => Promise<void>): Turn {
  let last: Promise<unknown> = Promise.resolve();

  async function make<Result>(change: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await change();
      } catch (error) {
        if (!(error instanceof Outdated)) throw error;
        if (tries === TRIES) throw new Refusal('conflict', 'This is being changed by others at the same time. Look at it and try again.');
        await refresh();
      }
    }
  }

  return (change) => {
    const mine = last.then(() => make(change));
    last = mine.catch(() => undefined);
    return mine;
  };
}
