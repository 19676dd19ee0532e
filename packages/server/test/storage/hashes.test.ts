import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hashes } from '../../src/storage/sqlite/hashes.ts';

/** The same every time: a small generator of 52-bit hashes. */
function hashes(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const high = state & 0xfffff;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return high * 2 ** 32 + state;
  };
}

const any = (): boolean => true;

describe('Hashes', () => {
  it('does as a Map does through thousands of commits kept and forgotten, growing from nothing', () => {
    const next = hashes(7);
    const table = new Hashes(0);
    const known = new Map<number, number>();
    let seq = 0;
    for (let commit = 0; commit < 3_000; commit++) {
      const added = Array.from({ length: commit % 7 }, () => [next(), ++seq] as const);
      for (const [hash, at] of added) table.add(hash, at);
      for (const [hash, at] of added) assert.equal(table.find(hash, any), at);
      if (commit % 3 === 0) {
        table.forget();
        for (const [hash] of added) assert.equal(table.find(hash, any), null);
      } else {
        table.keep();
        for (const line of added) known.set(...line);
      }
    }
    assert.equal(table.size, known.size);
    for (const [hash, at] of known) assert.equal(table.find(hash, any), at);
    assert.deepEqual(new Map(table.inOrder().map(({ hash, seq: at }) => [hash, at])), known);
  });

  it('keeps rows of one hash apart', () => {
    const table = new Hashes(4);
    table.add(12, 1);
    table.add(12, 2);
    assert.equal(
      table.find(12, (seq) => seq === 2),
      2,
    );
    assert.equal(
      table.find(12, (seq) => seq === 3),
      null,
    );
    table.keep();
    table.add(12, 3);
    table.forget();
    assert.deepEqual(
      table.inOrder().map(({ seq }) => seq),
      [1, 2],
    );
  });

  it('gives lines nearly in the order of their hashes', () => {
    const next = hashes(3);
    const table = new Hashes(4_096);
    for (let seq = 1; seq <= 4_096; seq++) table.add(next(), seq);
    const order = table.inOrder().map(({ hash }) => hash);
    const steps = order.slice(1).filter((hash, index) => hash < (order[index] as number));
    assert.ok(steps.length < order.length / 4, `${steps.length} of ${order.length} stand before a smaller one`);
    const distance = order.map((hash, index) => Math.abs(Math.floor((hash / 2 ** 52) * order.length) - index));
    assert.ok(Math.max(...distance) < 200);
  });
});
