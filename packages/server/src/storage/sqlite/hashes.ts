export interface HashedKey {
  readonly hash: number;
  readonly seq: number;
}

/** Hashes have 52 bits, so that they are whole numbers. */
const HASHES = 2 ** 52;
const EMPTY = -1;

/**
 * Rows by the hashes of their keys, in two plain arrays: no key is kept, and nothing of it is the garbage collector's. A hash stands at or
 * behind the place that its upper bits give, so that reading from the front gives nearly the order of the hashes.
 */
export class Hashes {
  #hashes: Float64Array;
  #seqs: Float64Array;
  #size = 0;
  /** Where those stand that were added since `keep`. */
  #fresh: number[] = [];

  /** Has room for `expected` without growing. */
  constructor(expected: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(8, expected)));
    this.#hashes = new Float64Array(slots);
    this.#seqs = new Float64Array(slots).fill(EMPTY);
  }

  get size(): number {
    return this.#size;
  }

  /** The row with this hash that is the one looked for; null where there is none. */
  find(hash: number, isIt: (seq: number) => boolean): number | null {
    for (let slot = this.#home(hash); this.#seqs[slot] !== EMPTY; slot = this.#after(slot)) {
      const seq = this.#seqs[slot] as number;
      if (this.#hashes[slot] === hash && isIt(seq)) return seq;
    }
    return null;
  }

  add(hash: number, seq: number): void {
    if (3 * this.#size >= 2 * this.#seqs.length) this.#grow();
    this.#fresh.push(this.#put(hash, seq));
  }

  /** What was added stays. */
  keep(): void {
    if (this.#fresh.length > 0) this.#fresh = [];
  }

  /** What was added since `keep` goes. The newest first: then nothing that stays was put behind what goes. */
  forget(): void {
    for (const slot of this.#fresh.reverse()) this.#seqs[slot] = EMPTY;
    this.#size -= this.#fresh.length;
    this.#fresh = [];
  }

  inOrder(): HashedKey[] {
    const lines: HashedKey[] = [];
    for (let slot = 0; slot < this.#seqs.length; slot++) {
      const seq = this.#seqs[slot] as number;
      if (seq !== EMPTY) lines.push({ hash: this.#hashes[slot] as number, seq });
    }
    return lines;
  }

  #put(hash: number, seq: number): number {
    let slot = this.#home(hash);
    while (this.#seqs[slot] !== EMPTY) slot = this.#after(slot);
    this.#hashes[slot] = hash;
    this.#seqs[slot] = seq;
    this.#size += 1;
    return slot;
  }

  #home(hash: number): number {
    return Math.floor((hash / HASHES) * this.#seqs.length);
  }

  #after(slot: number): number {
    return slot + 1 === this.#seqs.length ? 0 : slot + 1;
  }

  #grow(): void {
    const [hashes, seqs, fresh] = [this.#hashes, this.#seqs, new Set(this.#fresh)];
    this.#hashes = new Float64Array(2 * seqs.length);
    this.#seqs = new Float64Array(2 * seqs.length).fill(EMPTY);
    this.#size = 0;
    this.#fresh = [];
    const later: number[] = [];
    for (let slot = 0; slot < seqs.length; slot++) {
      if (seqs[slot] === EMPTY) continue;
      if (fresh.has(slot)) later.push(slot);
      else this.#put(hashes[slot] as number, seqs[slot] as number);
    }
    for (const slot of later) this.#fresh.push(this.#put(hashes[slot] as number, seqs[slot] as number));
  }
}
