import assert from 'node:assert/strict';
import type { Finding, Page, PageQuery } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Api } from '../support/server.ts';
import type { Ledger } from './load.ts';
import type { Receiver } from './receiver.ts';

/** How many events the API lists. */
export async function eventsInTheApi(api: Api): Promise<number> {
  const ids = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { status, body } = await api.call('GET', `/v1/events?limit=200${page}`);
    assert.equal(status, 200);
    for (const { id } of body.data as { id: string }[]) ids.add(id);
    cursor = body.nextCursor as string | null;
  } while (cursor !== null);
  return ids.size;
}

/** Every acknowledged shot is one event, in the ledger, and at each endpoint that asked for it. */
export async function nothingLost(url: string, { ledger, receipts }: { ledger: Ledger; receipts: Receiver['receipts'] }): Promise<void> {
  const storage = await openStorage(url, { readOnly: true, threads: false });
  await storage.open();
  try {
    const events = (await all((page) => storage.listEvents(page))).map(({ event }) => event);
    const accepted = (await all((page) => storage.listRequests({ ...page, verdict: 'accepted' }))).map(
      ({ id, sha256 }) => [sha256, id] as const,
    );
    const transactions = new Set((await all((page) => storage.listTransactions(page))).map(({ id }) => id));
    const requests = new Map(accepted);
    assert.equal(requests.size, accepted.length, 'no two requests with the same bytes were accepted as new');
    const byRequest = new Map(events.map((event) => [event.request, event]));
    const byId = new Map(events.map((event) => [event.id, event]));
    for (const { shot, event: id } of ledger.acks.values()) {
      const event = id === null ? byRequest.get(requests.get(shot.sha256) ?? '') : byId.get(id);
      assert.ok(event, `acknowledged and lost: ${shot.path} ${shot.body.toString()}`);
      assert.equal(event.state, 'recorded', event.note ?? '');
      assert.ok(transactions.has(event.transaction ?? ''), `${event.id} is not in the ledger`);
      assert.ok(receipts.has(`/event ${event.id}`), `${event.id} never came to the endpoint`);
      const passedOn = shot.door === 'inbound' ? shot.sha256 : event.id;
      assert.ok(receipts.has(`/request ${passedOn}`), `the request of ${event.id} was never passed on`);
    }
    const deliveries = await all((page) => storage.listDeliveries(page));
    assert.deepEqual(
      deliveries.filter(({ status }) => status !== 'succeeded'),
      [],
    );
    assert.ok(deliveries.length > 2 * ledger.acks.size, 'the third endpoint was subscribed to some of the events');
  } finally {
    await storage.close();
  }
}

async function all<Row>(list: (page: PageQuery) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Row> = await list({ merchant: null, limit: 1000, cursor });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

/** The invariants, read from the store as dead processes left it. */
export async function findings(url: string): Promise<readonly Finding[]> {
  const storage = await openStorage(url, { readOnly: true, threads: false });
  await storage.open();
  try {
    return await storage.check({ now: Date.now() });
  } finally {
    await storage.close();
  }
}
