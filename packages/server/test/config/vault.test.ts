import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { keyFile, makeKeyFile, readKeyFile, readMasterKeys } from '../../src/config/keyring.ts';
import { makeVault, unlockVault, VaultError } from '../../src/config/vault.ts';

const folders: string[] = [];
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'paybell-vault-'));
  folders.push(path);
  return path;
};
after(() => folders.forEach((path) => rmSync(path, { recursive: true })));

const key = (name: string) => ({ name, bytes: new Uint8Array(randomBytes(32)) });
const notes = () => {
  const texts = new Map<string, string>();
  return {
    texts,
    getNote: async (name: string) => texts.get(name) ?? null,
    putNote: async ({ name, text }: { name: string; text: string }) => void texts.set(name, text),
    claimNote: async ({ name, text }: { name: string; text: string }) => {
      if (!texts.has(name)) texts.set(name, text);
      return texts.get(name) ?? text;
    },
  };
};

describe('vault', () => {
  it('gives back what it sealed, to the same row only', () => {
    const vault = makeVault([key('one')], randomBytes);
    const sealed = vault.seal('whsec_é', 'src_1');
    assert.equal(vault.open(sealed, 'src_1'), 'whsec_é');
    assert.throws(() => vault.open(sealed, 'src_2'), VaultError);
    assert.ok(!sealed.includes('whsec'));
    assert.notEqual(vault.seal('whsec_é', 'src_1'), sealed, 'a nonce was used twice');
  });

  it('refuses a text with any one byte changed', () => {
    const vault = makeVault([key('one')], randomBytes);
    const [version, name, code = ''] = vault.seal('secret', 'row').split('.');
    const bytes = Buffer.from(code, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => vault.open(`${version}.${name}.${changed.toString('base64url')}`, 'row'), VaultError, `byte ${at}`);
    }
    for (const text of ['', 'v1', 'v1.one.', `v2.one.${code}`, `v1.one.${code}.x`, 'v1.one.AAAA'])
      assert.throws(() => vault.open(text, 'row'), VaultError);
  });

  it('opens with older keys and says what to seal again', () => {
    const [old, fresh] = [key('old'), key('new')];
    const before = makeVault([old], randomBytes).seal('secret', 'row');
    const vault = makeVault([fresh, old], randomBytes);
    assert.equal(vault.open(before, 'row'), 'secret');
    assert.equal(vault.isStale(before), true);
    assert.equal(vault.isStale(vault.seal('secret', 'row')), false);
    assert.throws(() => makeVault([fresh], randomBytes).open(before, 'row'), /"old", which is not among the keys/);
  });
});

describe('unlocking', () => {
  it('makes a key file at the first start that only its owner can read, and uses it ever after', async () => {
    const input = { masterKeys: null, dataDir: folder(), notes: notes(), random: randomBytes };
    const sealed = (await unlockVault(input)).seal('secret', 'row');
    assert.equal(statSync(keyFile(input.dataDir)).mode & 0o777, 0o600);
    assert.equal((await unlockVault(input)).open(sealed, 'row'), 'secret');
  });

  it('refuses a store whose keys are missing, and makes none', async () => {
    const store = notes();
    await unlockVault({ masterKeys: null, dataDir: folder(), notes: store, random: randomBytes });
    const dataDir = folder();
    await assert.rejects(
      unlockVault({ masterKeys: null, dataDir, notes: store, random: randomBytes }),
      /master key is missing: put .* back from a backup/,
    );
    assert.equal(existsSync(keyFile(dataDir)), false);
  });

  it('refuses other keys, also under the same name', async () => {
    const store = notes();
    const input = { dataDir: folder(), notes: store, random: randomBytes };
    await unlockVault({ ...input, masterKeys: [key('a')] });
    await assert.rejects(unlockVault({ ...input, masterKeys: [key('a')] }), /not the master keys that this store was written with/);
    await assert.rejects(unlockVault({ ...input, masterKeys: [key('b')] }), /"a", which is not among the keys/);
  });

  it('holds all but the first of several processes that start on a new store to the first one', async () => {
    const store = notes();
    const input = { dataDir: folder(), notes: { ...store, getNote: async () => null }, random: randomBytes };
    await unlockVault({ ...input, masterKeys: [key('a')] });
    await assert.rejects(unlockVault({ ...input, masterKeys: [key('b')] }), /not the master keys that this store was written with/);
  });

  it('moves the check value to a new current key, so that the old one can go', async () => {
    const input = { dataDir: folder(), notes: notes(), random: randomBytes };
    const [a, b] = [key('a'), key('b')];
    await unlockVault({ ...input, masterKeys: [a] });
    await unlockVault({ ...input, masterKeys: [b, a] });
    assert.equal((await unlockVault({ ...input, masterKeys: [b] })).isStale((await input.notes.getNote('master-key-check')) ?? ''), false);
  });

  it('refuses a key file that others can read, and never replaces one', () => {
    const dataDir = folder();
    makeKeyFile(dataDir, randomBytes(32));
    assert.throws(() => makeKeyFile(dataDir, randomBytes(32)), { code: 'EEXIST' });
    chmodSync(keyFile(dataDir), 0o644);
    assert.throws(() => readKeyFile(dataDir), /can be read by others/);
  });

  it('reads several keys, the first is current', () => {
    const text = ['a', 'b'].map((name) => `${name}:${randomBytes(32).toString('base64')}`).join(', ');
    assert.deepEqual(
      readMasterKeys(text).map(({ name }) => name),
      ['a', 'b'],
    );
  });
});
