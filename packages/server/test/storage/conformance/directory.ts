import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { EndpointRow, KeyRow, SourceRow } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { event, inbound, payment, request, T } from '../given.ts';

const source: SourceRow = {
  id: 'src_1',
  merchant: 'm1',
  provider: 'stripe',
  name: 'Shop',
  options: null,
  sealed: 'v1.x',
  active: true,
  createdAt: T,
  deletedAt: null,
};
const key: KeyRow = { id: 'key_1', name: 'CI', hash: 'ab'.repeat(32), merchant: null, createdAt: T, deletedAt: null };
const endpoint: EndpointRow = {
  id: 'end_1',
  merchant: 'm1',
  url: 'https://shop.example/hook',
  provider: 'paybell',
  events: ['payment.*', 'it\'s "quoted"'],
  content: 'event',
  sealed: 'v1.y',
  active: true,
  disabledReason: null,
  retry: { delays: ['0s', '1m'], jitter: 0.1 },
  timeout: '5s',
  maxInFlight: 4,
  ordered: false,
  options: null,
  perEvent: false,
  createdAt: T,
  deletedAt: null,
};

export function directory(it: It): void {
  describe('open, close, directory', () => {
    it('an empty store knows nothing, and closes twice without harm', async ({ storage }) => {
      assert.deepEqual(await storage.loadDirectory(), { merchants: [], sources: [], endpoints: [], keys: [] });
      await storage.close();
      await storage.close();
      await assert.rejects(storage.facts(), /not open/);
    });

    it('rows come back as they were saved, after reopening too', async ({ storage, reopen }) => {
      await storage.saveMerchant({ id: 'm1', name: 'Duka', createdAt: T });
      await storage.saveMerchant({ id: 'm1', name: 'Duka Online', createdAt: T });
      await storage.saveSource(source);
      await storage.saveEndpoint({ ...endpoint, active: true });
      await storage.saveEndpoint({ ...endpoint, active: false, disabledReason: 'gone' });
      await storage.saveKey(key);
      const again = await reopen();
      const rows = await again.loadDirectory();
      assert.deepEqual(rows.merchants, [{ id: 'm1', name: 'Duka Online', createdAt: T }]);
      assert.deepEqual(rows.sources, [source]);
      assert.deepEqual(rows.endpoints, [{ ...endpoint, active: false, disabledReason: 'gone' }]);
      assert.deepEqual(rows.keys, [key]);
    });

    it('deleted rows are not loaded', async ({ storage }) => {
      await storage.saveSource({ ...source, deletedAt: T });
      await storage.saveEndpoint({ ...endpoint, deletedAt: T });
      await storage.saveKey({ ...key, deletedAt: T });
      const rows = await storage.loadDirectory();
      assert.deepEqual([rows.sources, rows.endpoints, rows.keys], [[], [], []]);
    });

    it('since when endpoints fail is kept, changed and forgotten, many at once', async ({ storage, reopen }) => {
      assert.deepEqual(await storage.loadFailing(), []);
      const kept = (n: number) => ({ since: T + n, failures: n, told: n % 2 === 1 });
      await storage.saveFailing(Array.from({ length: 5 }, (_, n) => ({ endpoint: `end_${n}`, kept: kept(n) })));
      await storage.saveFailing([
        { endpoint: 'end_1', kept: null },
        { endpoint: 'end_2', kept: kept(7) },
        { endpoint: 'end_none', kept: null },
      ]);
      const again = await reopen();
      assert.deepEqual(await again.loadFailing(), [
        { endpoint: 'end_0', kept: kept(0) },
        { endpoint: 'end_2', kept: kept(7) },
        { endpoint: 'end_3', kept: kept(3) },
        { endpoint: 'end_4', kept: kept(4) },
      ]);
    });

    it('notes are kept by name', async ({ storage, reopen }) => {
      assert.equal(await storage.getNote('check'), null);
      await storage.putNote({ name: 'check', text: 'one' });
      await storage.putNote({ name: 'check', text: 'two' });
      assert.equal(await (await reopen()).getNote('check'), 'two');
    });

    it('what durability is promised can be read back, and what was recorded is there after reopening', async ({ storage, reopen }) => {
      assert.match((await storage.facts()).durability, /WAL, synchronous=FULL|synchronous_commit=on/);
      assert.match((await storage.ready()).durability, /WAL, synchronous=FULL|synchronous_commit=on/);
      await storage.record([inbound(request('req_1'), event('evt_1', { movement: payment('p1') }))]);
      const again = await reopen();
      assert.notEqual(await again.getRequest({ merchant: null, id: 'req_1' }), null);
      assert.notEqual(await again.getEvent({ merchant: null, id: 'evt_1' }), null);
      assert.deepEqual(await again.check({ now: T }), []);
    });
  });
}
