import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fifo } from '../../src/engine/deliver/fifo.ts';
import { Lane } from '../../src/engine/deliver/lane.ts';
import { Line, LINE_BOUNDS } from '../../src/engine/deliver/line.ts';
import type { Place } from '../../src/engine/deliver/line.ts';

const BOUNDS = { youngMs: 1_000, young: 8, total: 20, merchantYoung: 4, merchantTotal: 10 };
const lanes = (merchant: string, count: number): Lane[] => Array.from({ length: count }, (_, n) => new Lane(`${merchant}${n}`, merchant));

/** Lets every lane whose turn it is make a call and stand in line again, `times` at most. */
function serve(line: Line, times: number, now = 0): { names: string[]; places: Place[] } {
  const names: string[] = [];
  const places: Place[] = [];
  for (let n = 0; n < times; n++) {
    const lane = line.next(now);
    if (lane === undefined) break;
    names.push(lane.endpoint);
    places.push(line.began(lane, now));
    line.enter(lane);
  }
  return { names, places };
}

describe('line', () => {
  test('merchants in turn, and within a merchant its lanes in turn', () => {
    const line = new Line({ ...BOUNDS, young: 100, merchantYoung: 100, total: 100, merchantTotal: 100 });
    for (const lane of [...lanes('a', 500), ...lanes('b', 1), ...lanes('c', 2)]) line.enter(lane);
    assert.deepEqual(serve(line, 9).names, ['a0', 'b0', 'c0', 'a1', 'b0', 'c1', 'a2', 'b0', 'c0']);
  });

  test('a lane stands in line once', () => {
    const line = new Line(BOUNDS);
    const [lane] = lanes('a', 1) as [Lane];
    line.enter(lane);
    line.enter(lane);
    assert.equal(line.next(0), lane);
    assert.equal(line.next(0), undefined);
  });

  test('no merchant gets more than its share of places, and the places of all are bounded', () => {
    const line = new Line(BOUNDS);
    for (const lane of lanes('a', 10)) line.enter(lane);
    assert.equal(serve(line, 100).names.length, 4);
    for (const lane of [...lanes('b', 3), ...lanes('c', 3)]) line.enter(lane);
    assert.deepEqual(serve(line, 100).names, ['b0', 'c0', 'b1', 'c1']);
    assert.equal(line.inFlight, 8);
  });

  test('who was full comes back into turn when one of its calls ends', () => {
    const line = new Line(BOUNDS);
    for (const lane of lanes('a', 6)) line.enter(lane);
    const { places } = serve(line, 100);
    line.ended(places[2] as Place);
    assert.deepEqual(serve(line, 100).names, ['a4']);
    assert.equal(line.inFlight, 4);
  });

  test('a call that waits for its answer gives its place up after a second, as far as the total goes', () => {
    const line = new Line(BOUNDS);
    for (const lane of lanes('a', 20)) line.enter(lane);
    serve(line, 100);
    assert.equal(line.lookAt(), 1_000, 'to look again though no call ends');
    assert.equal(serve(line, 100, 999).names.length, 0);
    assert.equal(serve(line, 100, 1_000).names.length, 4);
    const third = serve(line, 100, 2_000);
    assert.equal(third.names.length, 2, 'ten calls are all that a merchant gets');
    for (const lane of lanes('b', 1)) line.enter(lane);
    assert.deepEqual(serve(line, 100, 2_000).names.slice(0, 1), ['b0'], 'the places of others are free');
    for (const place of third.places) line.ended(place);
    assert.equal(serve(line, 100, 2_000).names.length, 2);
  });

  test('nobody waits: nothing to look for', () => {
    const line = new Line(BOUNDS);
    assert.equal(line.lookAt(), null);
    const [lane] = lanes('a', 1) as [Lane];
    line.began(lane, 0);
    assert.equal(line.lookAt(), null);
  });

  test('places are counted exactly, whatever happens in which order', () => {
    const line = new Line(BOUNDS);
    const all = ['a', 'b', 'c'].flatMap((merchant) => lanes(merchant, 5));
    const flying: Place[] = [];
    let state = 7;
    const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    for (let now = 0; now < 20_000; now += 10) {
      for (const lane of all) if (random() < 0.1) line.enter(lane);
      flying.push(...serve(line, 3, now).places);
      while (flying.length > 0 && random() < 0.4) line.ended(flying.splice(Math.floor(random() * flying.length), 1)[0] as Place);
      assert.equal(line.inFlight, flying.length);
      assert.ok(flying.length <= BOUNDS.total);
      assert.ok(flying.filter(({ since }) => since + BOUNDS.youngMs > now).length <= BOUNDS.young);
    }
    for (const place of flying) line.ended(place);
    assert.equal(line.inFlight, 0);
    assert.equal(serve(line, 100, 30_000).names.length, BOUNDS.young, 'all places are free again');
  });

  test('the bounds leave room for others, and for the largest endpoint', () => {
    assert.ok(LINE_BOUNDS.merchantYoung >= 256 && LINE_BOUNDS.merchantYoung < LINE_BOUNDS.young);
    assert.ok(LINE_BOUNDS.merchantTotal < LINE_BOUNDS.total);
  });
});

test('fifo: first in, first out, over many more than it clears at once', () => {
  const fifo = new Fifo<number>();
  let next = 0;
  for (let n = 0; n < 10_000; n++) {
    fifo.push(n);
    if (n % 3 !== 0) assert.equal(fifo.shift(), next++);
  }
  assert.equal(fifo.length, 10_000 - next);
  while (fifo.length > 0) {
    assert.equal(fifo.first, next);
    assert.equal(fifo.shift(), next++);
  }
  assert.deepEqual([fifo.shift(), fifo.first, next], [undefined, undefined, 10_000]);
});
