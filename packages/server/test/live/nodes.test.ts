import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { createObserve } from '../../src/engine/observe.ts';
import type { Signal } from '../../src/engine/ports.ts';
import { epochOf, fanOut } from '../../src/live/fan-out.ts';
import { Hub } from '../../src/live/hub.ts';
import type { HubBounds, News, Outlet, Topic } from '../../src/live/hub.ts';

const EVERY: ReadonlySet<Topic> = new Set<Topic>(['request', 'transaction', 'delivery']);
const news = (text: string): News => ({ topic: 'request', merchant: 'm', weight: 10, json: () => JSON.stringify({ text }) });
const GATHER_MS = 20;

/** Nodes that hear each other at once, until the way between them is cut. */
function makeNodes(t: TestContext, count: number, bounds: Partial<HubBounds> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { cut: false };
  const nodes = Array.from({ length: count }, (_, index) => {
    const name = `node_${String.fromCharCode(97 + index).repeat(26)}`;
    const log = { info() {}, warn() {}, error() {} };
    const receivers: ((text: string, node: string) => void)[] = [];
    const told: string[] = [];
    return { name, receivers, told, observe: createObserve(log), hub: new Hub(epochOf(name), bounds, (run) => run()) };
  });
  for (const node of nodes) {
    const signal: Signal = {
      tell(_kind, text) {
        node.told.push(text);
        if (!state.cut) for (const other of nodes) if (other !== node) for (const receive of other.receivers) receive(text, node.name);
      },
      hear: (_kind, receive) => void node.receivers.push(receive),
      state: () => ({ redis: 'connected', dropped: 0, ignored: 0 }),
    };
    fanOut({ hub: node.hub, signal, observe: node.observe });
  }
  return {
    nodes: nodes as [(typeof nodes)[0], ...typeof nodes],
    state,
    travel: () => t.mock.timers.tick(GATHER_MS),
    /** A second goes by: each looks into the store how far the others are. */
    beat(living: readonly { readonly name: string }[] = nodes): void {
      const peers = nodes.filter((node) => living.includes(node)).map(({ name, hub }) => ({ node: name, news: hub.ring.made }));
      for (const { name, observe } of nodes)
        observe.emit(
          'peers',
          peers.filter(({ node }) => node !== name),
        );
    },
  };
}

function watch(hub: Hub, since: string | null = null) {
  const writes: string[] = [];
  const outlet: Outlet = {
    write: (text) => void writes.push(text),
    backlog: () => 0,
    drained: (resume) => resume(),
    drop: () => undefined,
  };
  const leave = hub.subscribe({ merchant: null, topics: EVERY, since }, outlet);
  const all = (pattern: RegExp): string[] => [...writes.join('').matchAll(pattern)].map((match) => match[1] as string);
  return {
    leave,
    seen: () => all(/^data: \{"text":"(.*)"\}$/gm),
    ids: () => all(/^id: (.*)$/gm),
    last: () => all(/^id: (.*)$/gm).at(-1) as string,
    resets: () => all(/^event: (reset)$/gm).length,
  };
}

describe('live messages between nodes', () => {
  it('nothing travels while nobody watches', (t) => {
    const { nodes, beat, travel } = makeNodes(t, 2);
    beat();
    nodes[0].hub.publish({ ...news('a'), json: () => assert.fail('nobody asked') });
    travel();
    beat();
    assert.deepEqual(nodes.map(({ told }) => told).flat(), []);
  });

  it('a reader sees what every node makes from the moment it came, without a reset', (t) => {
    const { nodes, beat, travel } = makeNodes(t, 3);
    const [a, b, c] = nodes;
    for (let n = 0; n < 10; n++) b!.hub.publish(news(`before ${n}`));
    for (let beats = 0; beats < 6; beats++) beat();
    const reader = watch(a.hub);
    for (const [index, node] of [a, b!, c!].entries()) node.hub.publish(news(`from ${index}`));
    travel();
    assert.deepEqual(reader.seen().toSorted(), ['from 0', 'from 1', 'from 2']);
    for (let beats = 0; beats < 10; beats++) beat();
    b!.hub.publish(news('later'));
    travel();
    assert.equal(reader.seen().at(-1), 'later');
    assert.equal(reader.resets(), 0);
  });

  it('an id of one node resumes at another, wherever the reader broke off: each message once, no reset', (t) => {
    const total = 12;
    for (let breaks = 0; breaks <= total; breaks++) {
      const { nodes, beat, travel } = makeNodes(t, 2);
      const [a, b] = nodes;
      for (let beats = 0; beats < 6; beats++) beat();
      const first = watch(a.hub);
      const make = (n: number): void => {
        (n % 3 === 0 ? a : b!).hub.publish(news(String(n)));
        if (n % 2 === 0) travel();
      };
      for (let n = 0; n < breaks; n++) make(n);
      travel();
      first.leave();
      const id = first.last();
      for (let n = breaks; n < total; n++) make(n);
      travel();
      for (const hub of [a.hub, b!.hub]) {
        const second = watch(hub, id);
        assert.deepEqual(
          [...first.seen(), ...second.seen()].map(Number).toSorted((x, y) => x - y),
          Array.from({ length: total }, (_, n) => n),
          `broke off after ${breaks}`,
        );
        assert.equal(second.resets(), 0);
        second.leave();
      }
      t.mock.timers.reset();
    }
  });

  it('every single id in the stream is as good to resume from at the other node', (t) => {
    const { nodes, beat, travel } = makeNodes(t, 2);
    const [a, b] = nodes;
    for (let beats = 0; beats < 6; beats++) beat();
    const whole = watch(a.hub);
    for (let n = 0; n < 20; n++) {
      (n % 2 === 0 ? a : b!).hub.publish(news(String(n)));
      if (n % 5 === 4) travel();
    }
    travel();
    for (const [index, id] of whole.ids().entries()) {
      const rest = watch(b!.hub, id);
      assert.deepEqual([...whole.seen().slice(0, index), ...rest.seen()].toSorted(), whole.seen().toSorted(), id);
      assert.equal(rest.resets(), 0);
    }
  });

  it('an id that is ahead of what this node has heard waits for it, and repeats nothing', (t) => {
    const { nodes, beat, travel, state } = makeNodes(t, 2);
    const [a, b] = nodes;
    for (let beats = 0; beats < 6; beats++) beat();
    const atB = watch(b!.hub);
    watch(a.hub);
    b!.hub.publish(news('1'));
    travel();
    state.cut = true;
    b!.hub.publish(news('2'));
    const id = atB.last();
    const resumed = watch(a.hub, id);
    assert.equal(resumed.resets(), 0);
    state.cut = false;
    a.receivers[0]?.(`2 quiet\nrequest\tm\t{"text":"2"}\nrequest\tm\t{"text":"3"}`, b!.name);
    assert.deepEqual(resumed.seen(), ['3']);
    assert.equal(resumed.last(), `${epochOf(a.name)}-0.${epochOf(b!.name)}-3`);
  });

  it('what does not come through is a reset within two beats, and not with every beat', (t) => {
    const { nodes, beat, travel, state } = makeNodes(t, 2);
    const [a, b] = nodes;
    for (let beats = 0; beats < 6; beats++) beat();
    const reader = watch(a.hub);
    travel();
    state.cut = true;
    b!.hub.publish(news('lost'));
    travel();
    beat();
    beat();
    assert.deepEqual([reader.resets(), reader.seen()], [1, []]);
    const after = reader.last();
    for (let beats = 0; beats < 10; beats++) {
      b!.hub.publish(news('lost too'));
      beat();
    }
    assert.ok(reader.resets() > 1 && reader.resets() <= 4, `${reader.resets()} resets in ten seconds`);
    assert.equal(watch(a.hub, after).resets(), 1, 'what was missed since is no gap to be passed over');
    state.cut = false;
    const before = reader.resets();
    for (let beats = 0; beats < 10; beats++) beat();
    b!.hub.publish(news('here again'));
    travel();
    assert.equal(reader.seen().at(-1), 'here again');
    assert.ok(reader.resets() - before <= 2);
  });

  it('a gap in the numbers is a reset at once, and older ids cannot be resumed', (t) => {
    const { nodes, beat, travel } = makeNodes(t, 2);
    const [a, b] = nodes;
    for (let beats = 0; beats < 6; beats++) beat();
    const reader = watch(a.hub);
    b!.hub.publish(news('1'));
    travel();
    const old = reader.last();
    a.receivers[0]?.('5 quiet\nrequest\tm\t{"text":"5"}', b!.name);
    assert.deepEqual([reader.resets(), reader.seen()], [1, ['1', '5']]);
    assert.equal(watch(a.hub, old).resets(), 1);
    assert.equal(watch(a.hub, reader.last()).resets(), 0);
  });

  it('a node that is gone may have made more than was heard: a reset, once, and nobody resumes behind it', (t) => {
    const { nodes, beat, travel, state } = makeNodes(t, 3);
    const [a, b, c] = nodes;
    for (let beats = 0; beats < 6; beats++) beat();
    const reader = watch(a.hub);
    b!.hub.publish(news('1'));
    travel();
    const old = reader.last();
    state.cut = true;
    b!.hub.publish(news('never told'));
    travel();
    state.cut = false;
    assert.equal(watch(a.hub, old).resets(), 0, 'it may come yet');
    for (let beats = 0; beats < 5; beats++) beat([a, c!]);
    assert.deepEqual([reader.resets(), reader.seen()], [1, ['1']]);
    assert.equal(watch(a.hub, old).resets(), 1);
    const resumed = watch(a.hub, reader.last());
    assert.deepEqual([resumed.resets(), resumed.seen()], [0, []], 'what it made is not told once more');
    c!.hub.publish(news('2'));
    travel();
    assert.deepEqual(reader.seen(), ['1', '2']);
    assert.equal(watch(c!.hub, reader.last()).resets(), 0);
    // It was only cut off: whoever listens hears it again, and is told of what it missed.
    beat();
    b!.hub.publish(news('3'));
    travel();
    assert.equal(reader.seen().at(-1), '3');
    assert.equal(reader.resets(), 2);
  });

  it('what is no message is ignored', (t) => {
    const { nodes, beat } = makeNodes(t, 2);
    const [a, b] = nodes;
    beat();
    const reader = watch(a.hub);
    const hostile = [
      '',
      'x',
      '1',
      '-1 quiet',
      '1 quiet\nrequest',
      '1 quiet\nfoo\tm\t{}',
      '1 quiet\nrequest\tm\t"text"',
      '1e9 quiet\nrequest\tm\t{}',
    ];
    for (const text of [...hostile, '1 loud\nrequest\tm\t{"text":"x"}']) for (const receive of a.receivers) receive(text, b!.name);
    assert.deepEqual([reader.seen(), reader.resets()], [[], 0]);
  });

  it('a node that restarts is another one, and a node that was never heard of cannot be resumed from', (t) => {
    const { nodes, beat } = makeNodes(t, 1);
    beat();
    nodes[0].hub.publish(news('1'));
    assert.equal(watch(nodes[0].hub, 'zzzzzzzzzz-4').resets(), 1);
    assert.equal(watch(nodes[0].hub, `${nodes[0].hub.lastId}.zzzzzzzzzz-4`).resets(), 1);
    assert.equal(watch(nodes[0].hub, nodes[0].hub.lastId).resets(), 0);
  });
});
