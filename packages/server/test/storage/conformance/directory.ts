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
  version: 0,
};
const key: KeyRow = { id: 'key_1', name: 'CI', hash: 'ab'.repeat(32), merchant: null, createdAt: T, deletedAt: null, version: 0 };
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
  version: 0,
};

export function directory(it: It): void {
  describe('open, close, directory', () => {
    it('an empty store knows nothing, and closes twice without harm', async ({ storage }) => {
      assert.deepEqual(await storage.loadDirectory({ since: 0 }), {
        version: 0,
        merchants: [],
        sources: [],
        endpoints: [],
        keys: [],
        endedSessions: [],
      });
      await storage.close();
      await storage.close();
      await assert.rejects(storage.facts(), /not open/);
    });

    it('rows come back as they were saved, after reopening too', async ({ storage, reopen }) => {
      const merchant = { id: 'm1', name: 'Duka', createdAt: T, version: 0 };
      assert.equal(await storage.saveMerchant(merchant), 1);
      assert.equal(await storage.saveMerchant({ ...merchant, name: 'Duka Online', version: 1 }), 2);
      assert.equal(await storage.saveSource(source), 3);
      assert.equal(await storage.saveEndpoints([endpoint]), 4);
      assert.equal(await storage.saveEndpoints([{ ...endpoint, active: false, disabledReason: 'gone', version: 4 }]), 5);
      assert.equal(await storage.saveKey(key), 6);
      assert.equal(await storage.saveEndedSession({ id: 'digest', until: T, version: 0 }), 7);
      const again = await reopen();
      assert.deepEqual(await again.loadDirectory({ since: 0 }), {
        version: 7,
        merchants: [{ ...merchant, name: 'Duka Online', version: 2 }],
        sources: [{ ...source, version: 3 }],
        endpoints: [{ ...endpoint, active: false, disabledReason: 'gone', version: 5 }],
        keys: [{ ...key, version: 6 }],
        endedSessions: [{ id: 'digest', until: T, version: 7 }],
      });
    });

    it('deleted rows are not loaded at the start, but among what changed since', async ({ storage }) => {
      await storage.saveSource(source);
      await storage.saveSource({ ...source, deletedAt: T, version: 1 });
      await storage.saveEndpoints([{ ...endpoint, deletedAt: T }]);
      await storage.saveKey({ ...key, deletedAt: T });
      const rows = await storage.loadDirectory({ since: 0 });
      assert.deepEqual([rows.sources, rows.endpoints, rows.keys], [[], [], []]);
      const later = await storage.loadDirectory({ since: 2 });
      assert.deepEqual([later.version, later.sources], [4, []]);
      assert.deepEqual(
        [...later.endpoints, ...later.keys].map(({ id, version, deletedAt }) => [id, version, deletedAt]),
        [
          ['end_1', 3, T],
          ['key_1', 4, T],
        ],
      );
    });

    it('what another process changed meanwhile is not written over, and of several rows none is', async ({ storage }) => {
      assert.equal(await storage.saveEndpoints([endpoint, { ...endpoint, id: 'end_2' }]), 1);
      assert.equal(await storage.saveEndpoints([endpoint]), null);
      assert.equal(await storage.saveEndpoints([{ ...endpoint, url: 'https://one.example/', version: 1 }]), 2);
      const late = [
        { ...endpoint, id: 'end_2', url: 'https://late.example/', version: 1 },
        { ...endpoint, url: 'https://late.example/', version: 1 },
      ];
      assert.equal(await storage.saveEndpoints(late), null);
      const { version, endpoints } = await storage.loadDirectory({ since: 0 });
      assert.equal(version, 2);
      assert.deepEqual(
        endpoints.map(({ id, url, version: at }) => [id, url, at]),
        [
          ['end_2', endpoint.url, 1],
          ['end_1', 'https://one.example/', 2],
        ],
      );
    });

    it('a process that shows itself learns how far the directory is', async ({ storage }) => {
      await storage.saveKey(key);
      assert.deepEqual(await storage.beat({ node: 'node_a', news: 3 }), { directory: 1, others: [] });
      await storage.leave('node_a');
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
      const again = await reopen();
      assert.equal(await again.getNote('check'), 'two');
      assert.equal(await again.claimNote({ name: 'check', text: 'three' }), 'two');
      assert.equal(await again.claimNote({ name: 'other', text: 'one' }), 'one');
      assert.equal(await again.getNote('other'), 'one');
    });

    it('what durability is promised can be read back, and what was recorded is there after reopening', async ({ storage, reopen }) => {
      assert.match((await storage.facts()).durability, /WAL, (synchronous=FULL|synced before every answer)|synchronous_commit=on/);
      assert.match((await storage.ready()).durability, /WAL, (synchronous=FULL|synced before every answer)|synchronous_commit=on/);
      await storage.record([inbound(request('req_1'), event('evt_1', { movement: payment('p1') }))]);
      const again = await reopen();
      assert.notEqual(await again.getRequest({ merchant: null, id: 'req_1' }), null);
      assert.notEqual(await again.getEvent({ merchant: null, id: 'evt_1' }), null);
      assert.deepEqual(await again.check({ now: T }), []);
    });
  });
}
