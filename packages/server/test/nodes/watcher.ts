import { setTimeout as wait } from 'node:timers/promises';
import { ADMIN_KEY } from '../support/server.ts';
import type { Api } from '../support/server.ts';
import { Stream } from '../support/stream.ts';

const LOOK_MS = 20;
const AGAIN_MS = 50;
const SHORTEST_STAY_MS = 200;
const LONGEST_STAY_MS = 1_500;
const PAGE = 200;

interface Row {
  readonly id: string;
  readonly status: string;
  readonly attemptCount: number;
}

/** A console that stays open: it watches deliveries at one node after the other, goes on where it was, and loads anew where it is told to. */
export interface Watcher {
  /** Every delivery that it knows, as it last saw it. */
  readonly rows: ReadonlyMap<string, Row>;
  counts(): { readonly moves: number; readonly heard: number; readonly resets: number };
  stop(): Promise<void>;
}

export function startWatcher({ node, random }: { readonly node: () => Api; readonly random: () => number }): Watcher {
  const rows = new Map<string, Row>();
  const counts = { moves: 0, heard: 0, resets: 0 };
  let lastId = '';
  // What was there before it came, it has to load.
  let stale = true;
  let stopped = false;

  /** Nodes are heard one beside the other: of two rows the one with fewer attempts is the older one. */
  function take(row: Row): void {
    if ((rows.get(row.id)?.attemptCount ?? 0) <= row.attemptCount) rows.set(row.id, row);
  }

  async function load(from: Api): Promise<void> {
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body } = await from.call('GET', `/v1/deliveries?limit=${PAGE}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      if (status !== 200) return;
      for (const row of body.data as Row[]) take(row);
      cursor = body.nextCursor as string | null;
    }
    stale = false;
  }

  async function stay(at: Api): Promise<void> {
    const authorization = `Bearer ${ADMIN_KEY}`;
    const stream = await Stream.open(`${at.url}/v1/live?topics=deliveries`, {
      authorization,
      ...(lastId === '' ? {} : { 'last-event-id': lastId }),
    });
    counts.moves += 1;
    const until = performance.now() + SHORTEST_STAY_MS + random() * (LONGEST_STAY_MS - SHORTEST_STAY_MS);
    try {
      while (performance.now() < until && !stopped) {
        hear(stream);
        if (stale) await load(at);
        await wait(LOOK_MS);
      }
    } finally {
      stream.close();
      hear(stream);
    }
  }

  function hear(stream: Stream): void {
    for (const { event, data } of stream.frames.splice(0)) {
      if (event === 'reset') stale = true;
      if (event === 'reset') counts.resets += 1;
      if (event !== 'delivery') continue;
      counts.heard += 1;
      take(data as Row);
    }
    lastId = stream.lastId;
  }

  async function run(): Promise<void> {
    // A node that is not there now is one to come back to.
    while (!stopped) await stay(node()).catch(() => wait(AGAIN_MS));
  }
  const running = run();
  return {
    rows,
    counts: () => ({ ...counts }),
    async stop() {
      stopped = true;
      await running;
    },
  };
}
