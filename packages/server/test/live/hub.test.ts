import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hub } from '../../src/live/hub.ts';
import type { HubBounds, News, Outlet, Topic } from '../../src/live/hub.ts';

const EVERY: ReadonlySet<Topic> = new Set<Topic>(['request', 'transaction', 'delivery']);

/** A hub whose flushes run when the test says so. */
function hubOf(bounds: Partial<HubBounds> = {}) {
  const turns: (() => void)[] = [];
  const hub = new Hub('e1', bounds, (run) => turns.push(run));
  return { hub, turn: () => turns.splice(0).forEach((run) => run()), turns };
}

/** A reader that keeps what it is sent; `slow` takes nothing until told. */
function readerOf(options: { readonly slow?: boolean } = {}) {
  const writes: string[] = [];
  const waits: (() => void)[] = [];
  const state = { dropped: false, backlog: 0 };
  const outlet: Outlet = {
    write: (text) => {
      writes.push(text);
      if (options.slow === true) state.backlog += text.length;
    },
    backlog: () => state.backlog,
    drained: (resume) => void waits.push(resume),
    drop: () => void (state.dropped = true),
  };
  const drain = (): void => {
    state.backlog = 0;
    waits.splice(0).forEach((resume) => resume());
  };
  return {
    outlet,
    writes,
    state,
    drain,
    seen: () => [...writes.join('').matchAll(/^data: (.*)$/gm)].map((match) => match[1]!),
    ids: () => [...writes.join('').matchAll(/^id: (.*)$/gm)].map((match) => match[1]!),
  };
}

const news = (text: string, more: Partial<News> = {}): News => ({
  topic: 'request',
  merchant: 'default',
  weight: 10,
  json: () => JSON.stringify(text),
  ...more,
});
const wish = (since: string | null = null) => ({ merchant: null, topics: EVERY, since });

describe('the hub', () => {
  it('joins the messages of one turn in one write and asks for each row once', () => {
    const { hub, turn } = hubOf();
    const readers = [readerOf(), readerOf()];
    for (const { outlet } of readers) hub.subscribe(wish(), outlet);
    let asked = 0;
    const counted = (text: string): News => ({ ...news(text), json: () => (asked++, JSON.stringify(text)) });
    hub.publish(counted('a'));
    hub.publish(counted('b'));
    turn();
    for (const { writes } of readers)
      assert.deepEqual(writes.slice(1), ['id: e1-1\nevent: request\ndata: "a"\n\nid: e1-2\nevent: request\ndata: "b"\n\n']);
    assert.equal(asked, 2);
  });

  it('asks for no row while nobody watches', () => {
    const { hub, turns } = hubOf();
    hub.publish({ ...news('a'), json: () => assert.fail('nobody asked') });
    assert.equal(turns.length, 0);
  });

  it('neither loses nor repeats between what is kept and what comes, wherever the reader enters', () => {
    for (let entry = 0; entry <= 12; entry++) {
      for (let since = 0; since <= entry; since++) {
        const { hub, turn } = hubOf();
        const reader = readerOf();
        for (let n = 1; n <= 12; n++) {
          if (n === entry + 1) hub.subscribe(wish(`e1-${since}`), reader.outlet);
          hub.publish(news(String(n)));
          if (n % 3 === 0) turn();
        }
        if (entry === 12) hub.subscribe(wish(`e1-${since}`), reader.outlet);
        turn();
        reader.drain();
        turn();
        const wanted = Array.from({ length: 12 - since }, (_, index) => JSON.stringify(String(since + index + 1)));
        assert.deepEqual(reader.seen(), wanted, `entered after ${entry}, last seen ${since}`);
      }
    }
  });

  it('shows a merchant only its own, and only the topics asked for', () => {
    const { hub, turn } = hubOf();
    const reader = readerOf();
    hub.subscribe({ merchant: 'mine', topics: new Set<Topic>(['delivery']), since: null }, reader.outlet);
    hub.publish(news('other merchant', { merchant: 'theirs', topic: 'delivery' }));
    hub.publish(news('other topic', { merchant: 'mine' }));
    hub.publish(news('wanted', { merchant: 'mine', topic: 'delivery' }));
    turn();
    assert.deepEqual(reader.seen(), ['"wanted"']);
    hub.publish(news('other again', { merchant: 'theirs' }));
    hub.beat();
    assert.equal(reader.ids().at(-1), 'e1-4', 'the beat moves the id along, so that a quiet reader does not grow old');
    assert.deepEqual(reader.seen(), ['"wanted"']);
  });

  it('answers reset to an id that is unknown, ahead, of another process or no longer kept', () => {
    const { hub } = hubOf({ keepMessages: 4 });
    for (let n = 1; n <= 10; n++) hub.publish(news(String(n)));
    for (const since of ['e1-5', 'e1-11', 'e2-9', 'garbage', 'e1--1', `e1-${'9'.repeat(40)}`]) {
      const reader = readerOf();
      hub.subscribe(wish(since), reader.outlet);
      assert.equal(reader.writes[0], 'event: reset\nid: e1-10\ndata: {}\n\n', since);
    }
    const reader = readerOf();
    hub.subscribe(wish('e1-6'), reader.outlet);
    assert.deepEqual(reader.seen(), ['"7"', '"8"', '"9"', '"10"']);
  });

  it('keeps no more than its bounds, by count and by weight', () => {
    const { hub } = hubOf({ keepMessages: 1_000, keepWeight: 100 });
    for (let n = 1; n <= 50; n++) hub.publish(news(String(n), { weight: 25 }));
    const reader = readerOf();
    hub.subscribe(wish('e1-46'), reader.outlet);
    assert.deepEqual(reader.seen(), ['"47"', '"48"', '"49"', '"50"']);
    const late = readerOf();
    hub.subscribe(wish('e1-45'), late.outlet);
    assert.match(late.writes[0]!, /^event: reset/);
  });

  it('drops a reader that does not take what it is sent, and goes on with the others', () => {
    const { hub, turn } = hubOf({ maxBacklogBytes: 1_000 });
    const [slow, quick] = [readerOf({ slow: true }), readerOf()];
    hub.subscribe(wish(), slow.outlet);
    hub.subscribe(wish(), quick.outlet);
    for (let n = 0; n < 20; n++) {
      hub.publish(news('x'.repeat(200)));
      turn();
    }
    assert.ok(slow.state.dropped);
    assert.ok(slow.state.backlog < 2_000);
    assert.equal(hub.readers, 1);
    assert.equal(quick.seen().length, 20);
  });

  it('sends what was missed piece by piece, and then what came meanwhile', () => {
    const { hub, turn } = hubOf();
    for (let n = 1; n <= 20; n++) hub.publish(news(`${n} ${'x'.repeat(60_000)}`, { weight: 1 }));
    const reader = readerOf({ slow: true });
    hub.subscribe(wish('e1-0'), reader.outlet);
    assert.ok(reader.seen().length < 10, 'not all at once');
    const { length } = reader.writes;
    hub.publish(news('21 meanwhile'));
    turn();
    assert.equal(reader.writes.length, length, 'nothing more before it has taken what it was sent');
    for (let rounds = 0; rounds < 20; rounds++) reader.drain();
    hub.publish(news('22 later'));
    turn();
    assert.deepEqual(
      reader.seen().map((text) => Number.parseInt(JSON.parse(text) as string, 10)),
      Array.from({ length: 22 }, (_, index) => index + 1),
    );
  });

  it('takes no more readers than its bound', () => {
    const { hub } = hubOf({ maxReaders: 1 });
    const leave = hub.subscribe(wish(), readerOf().outlet);
    assert.ok(hub.isFull);
    leave();
    assert.ok(!hub.isFull);
  });
});
