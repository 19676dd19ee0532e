import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { clearRunning, keepLocalAdminKey, readLocalAdminKey, readRunning, writeRunning } from '../../src/config/data-dir.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'paybell-data-dir-'));
after(() => rmSync(dataDir, { recursive: true }));

describe('the data folder', () => {
  it('says where its server is, and forgets', () => {
    assert.equal(readRunning(dataDir), null);
    writeRunning(dataDir, { pid: 7, url: 'http://127.0.0.1:1' });
    assert.deepEqual(readRunning(dataDir), { pid: 7, url: 'http://127.0.0.1:1' });
    writeFileSync(join(dataDir, 'server.json'), '{"pid":');
    assert.equal(readRunning(dataDir), null);
    clearRunning(dataDir);
    assert.equal(readRunning(dataDir), null);
  });

  it('keeps the admin key for its owner alone', () => {
    assert.equal(readLocalAdminKey(dataDir), null);
    keepLocalAdminKey(dataDir, 'first');
    keepLocalAdminKey(dataDir, 'second');
    assert.equal(readLocalAdminKey(dataDir), 'second');
    assert.equal(statSync(join(dataDir, 'admin-key')).mode & 0o777, 0o600);
  });
});
