import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Kind, Status } from '@paybell/sdk';
import type { Arrival, NewEvent, Storage } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { event, inbound, payment, request, T } from '../storage/given.ts';
import { tempDir } from '../support/server.ts';

const RUNS = 40;

interface Draft {
  readonly payment: number;
  readonly kind: 'payment' | 'refund' | 'dispute';
  readonly status: Status;
  readonly occurredAt: number | null;
  readonly sequence: number | null;
  readonly value: number;
  readonly currency: string;
  /** How often it comes again, and how often with other content. */
  readonly repeats: number;
  readonly variants: number;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  payment: fc.nat(2),
  kind: fc.constantFrom('payment', 'payment', 'refund', 'dispute'),
  status: fc.constantFrom(
    'created',
    'pending',
    'authorized',
    'on_hold',
    'partially_succeeded',
    'succeeded',
    'failed',
    'expired',
    'reversed',
    'canceled',
  ),
  occurredAt: fc.option(fc.nat(4).map((second) => T + second * 1000)),
  sequence: fc.option(fc.nat(3), { freq: 4 }),
  value: fc.nat(3).map((n) => n * 100),
  currency: fc.constantFrom('KES', 'KES', 'KES', 'TZS'),
  repeats: fc.nat(2),
  variants: fc.nat(1),
});

function eventOf(one: Draft, n: number): NewEvent {
  const key = one.kind === 'payment' ? `p${one.payment}` : `${one.kind}${one.payment}`;
  const kind: Kind = one.kind;
  const amount = { value: String(one.value), exponent: 2, currency: one.currency, text: (one.value / 100).toFixed(2) };
  const parent = one.kind === 'payment' ? {} : { parent: { kind: 'payment' as const, key: `p${one.payment}` } };
  const { status, occurredAt, sequence } = one;
  return event(`evt_${n}`, { dedupeKey: `key_${n}`, occurredAt, sequence, movement: payment(key, { kind, status, amount, ...parent }) });
}

/** Every arrival of the story: each event once as itself, and again as often as it repeats. The first to come is always the same content. */
function arrivalsOf(drafts: readonly Draft[]): { readonly firsts: Arrival[]; readonly again: Arrival[] } {
  const firsts = drafts.map((one, n) => inbound(request(`req_${n}`), eventOf(one, n)));
  const again = drafts.flatMap((one, n) => [
    ...Array.from({ length: one.repeats }, (_, k) => inbound(request(`dup_${n}_${k}`), { ...eventOf(one, n), id: `dup_${n}_${k}` })),
    ...Array.from({ length: one.variants }, (_, k) =>
      inbound(request(`var_${n}_${k}`), { ...eventOf({ ...one, value: 7 }, n), id: `var_${n}_${k}`, digest: 'other' }),
    ),
  ]);
  return { firsts, again };
}

/** Cuts a list into batches, as the cuts say. */
function split<Item>(items: readonly Item[], cuts: readonly number[]): Item[][] {
  const batches: Item[][] = [];
  for (let at = 0, n = 0; at < items.length; n++) {
    const size = 1 + ((cuts[n % cuts.length] ?? 0) % 5);
    batches.push(items.slice(at, at + size));
    at += size;
  }
  return batches;
}

async function ledgerOf(storage: Storage): Promise<string[]> {
  const { rows } = await storage.listTransactions({ merchant: null, limit: 100, cursor: null });
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** The ledger that these batches make; the process dies and starts again before the batches named. */
async function recorded(batches: readonly (readonly Arrival[])[], deaths: ReadonlySet<number>): Promise<string[]> {
  const folder = tempDir();
  const path = join(folder.path, 'paybell.db');
  let storage = await openStorage(path, { threads: false });
  await storage.open();
  try {
    for (const [index, batch] of batches.entries()) {
      if (deaths.has(index)) {
        await storage.close();
        storage = await openStorage(path, { threads: false });
        await storage.open();
      }
      await storage.record(batch);
    }
    assert.deepEqual(await storage.check({ now: T }), []);
    return await ledgerOf(storage);
  } finally {
    await storage.close();
    folder.remove();
  }
}

/** A shuffle that keeps every first before its repeats, because what comes first is what counts. */
function shuffled({ firsts, again }: { firsts: Arrival[]; again: Arrival[] }, keys: readonly number[]): Arrival[] {
  const all = [...firsts, ...again].map((arrival, n) => ({ arrival, key: keys[n % keys.length] ?? 0, n }));
  const mixed = all.sort((a, b) => a.key - b.key || b.n - a.n).map(({ arrival }) => arrival);
  const seen = new Set<string>();
  return mixed.map((arrival) => {
    const key = arrival.events[0]?.dedupeKey ?? '';
    const first = firsts.find(({ events }) => events[0]?.dedupeKey === key);
    if (seen.has(key) || first === undefined) return arrival;
    seen.add(key);
    return first === arrival
      ? arrival
      : { request: arrival.request, events: [{ ...(first.events[0] as NewEvent), request: arrival.request?.id ?? null }] };
  });
}

test('the ledger is a function of the set of events: order, batches, repeats and restarts change no byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(draft, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(1000), { minLength: 5, maxLength: 60 }),
      fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(12), { maxLength: 3 }),
      async (drafts, keys, cuts, deaths) => {
        const story = arrivalsOf(drafts);
        const expected = await recorded([story.firsts], new Set());
        assert.deepEqual(await recorded(split(shuffled(story, keys), cuts), new Set(deaths)), expected);
      },
    ),
    { numRuns: RUNS, seed: 20261122 },
  );
});
