import { randomFrom } from '../crash/random.ts';

/** Everything that chance decides in a run, from its seed alone. */
export interface Dice {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  shuffled<Item>(items: readonly Item[]): Item[];
  bytes(size: number): Uint8Array;
}

/** Each part of the world throws dice of its own, so that a change in one of them leaves the luck of the others as it was. */
export function diceFrom(seed: number, name: string): Dice {
  let mixed = seed >>> 0;
  for (let index = 0; index < name.length; index++) mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x9e3779b1) ^ (mixed >>> 13);
  const next = randomFrom(mixed);
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick<Item>(items: readonly Item[]): Item {
      return items[int(0, items.length - 1)] as Item;
    },
    shuffled<Item>(items: readonly Item[]): Item[] {
      const mixed = [...items];
      for (let left = mixed.length - 1; left > 0; left--) {
        const other = int(0, left);
        [mixed[left], mixed[other]] = [mixed[other] as Item, mixed[left] as Item];
      }
      return mixed;
    },
    bytes(size) {
      const words = new Uint32Array(Math.ceil(size / 4));
      for (let index = 0; index < words.length; index++) words[index] = next() * 2 ** 32;
      return new Uint8Array(words.buffer, 0, size);
    },
  };
}
