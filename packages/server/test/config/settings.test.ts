import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings, SettingsError } from '../../src/config/load.ts';
import type { SettingsInput } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';

const load = (input: Partial<SettingsInput>) => loadSettings({ flags: {}, env: {}, ...input });

function problems(input: Partial<SettingsInput>): string {
  try {
    load(input);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message;
  }
  return assert.fail('the settings were taken');
}

describe('settings', () => {
  it('have working values where nothing is said', () => {
    const settings = load({});
    assert.equal(settings.port, 4400);
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.dataDir, resolve('data'));
    assert.equal(settings.databaseUrl, resolve('data/paybell.db'));
    assert.deepEqual(settings.allowPrivateCidrs, []);
    assert.equal(settings.demo, false);
    const day = 86_400_000;
    assert.deepEqual([settings.retentionBodies, settings.retentionAttempts, settings.retentionQuarantine], [180 * day, 90 * day, 7 * day]);
  });

  it('take flags before the environment', () => {
    assert.equal(load({ env: { PAYBELL_PORT: '1' } }).port, 1);
    assert.equal(load({ env: { PAYBELL_PORT: '1' }, flags: { port: '2' } }).port, 2);
  });

  it('disable failing endpoints after five days, a duration, or never', () => {
    const after = (text?: string) => load({ env: text === undefined ? {} : { PAYBELL_DISABLE_AFTER: text } }).disableAfterMs;
    assert.deepEqual([after(), after('12h'), after('90m'), after('never')], [432_000_000, 43_200_000, 5_400_000, null]);
    for (const wrong of ['5', '0d', '367d', '-1h', '5 days'])
      assert.match(problems({ env: { PAYBELL_DISABLE_AFTER: wrong } }), /must be a duration from 1m to 366d/);
  });

  it('take an empty variable as not set, and an empty flag as wrong', () => {
    assert.equal(load({ env: { PAYBELL_PORT: '' } }).port, 4400);
    assert.match(problems({ flags: { port: '' } }), /^--port must be a port number/);
  });

  it('give the demo its own folder and loopback, and keep a folder that was given', () => {
    const demo = load({ flags: { demo: true } });
    assert.equal(demo.dataDir, resolve('data/demo'));
    assert.deepEqual(demo.allowPrivateCidrs, ['127.0.0.0/8', '::1/128']);
    assert.equal(load({ flags: { demo: true, data: '/elsewhere' } }).dataDir, resolve('/elsewhere'));
  });

  it('refuse unknown names with the nearest right one', () => {
    assert.match(
      problems({ env: { PAYBELL_DATABSE_URL: 'x' } }),
      /PAYBELL_DATABSE_URL is not a setting\. Did you mean PAYBELL_DATABASE_URL\?/,
    );
    assert.match(problems({ flags: { prot: '1' } }), /--prot is not a setting\. Did you mean --port\?/);
    assert.match(problems({ env: { PAYBELL_LOG_LEVEL: 'wran' } }), /must be one of .*Did you mean warn\?/);
  });

  it('take an age, or forever', () => {
    const bodies = (text: string) => load({ env: { PAYBELL_RETENTION_BODIES: text } }).retentionBodies;
    assert.deepEqual(
      [bodies('90m'), bodies('36h'), bodies('30d'), bodies('7y'), bodies('forever')],
      [5_400_000, 129_600_000, 2_592_000_000, 220_752_000_000, null],
    );
  });

  it('leave the variables of tests and benchmarks alone', () => {
    assert.equal(load({ env: { PAYBELL_TEST_CHROMIUM: 'x', PAYBELL_BENCH_DATABASE_URL: 'x', HOME: '/' } }).port, 4400);
  });

  it('say everything that is wrong at once', () => {
    assert.equal(problems({ env: { PAYBELL_PORT: '65536', PAYBELL_PUBLIC_URL: 'ftp://x', PAYBELL_HOTS: 'x' } }).split('\n').length, 3);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['PAYBELL_PORT', '80a', /port number/],
    ['PAYBELL_PORT', '-1', /port number/],
    ['PAYBELL_HOST', 'a b', /address or a host name/],
    ['PAYBELL_DATABASE_URL', 'mysql://u@db', /path of a file or a postgres:\/\/ address, not a mysql/],
    ['PAYBELL_REDIS_URL', 'http://:secret@r', /redis:\/\/host:6379/],
    ['PAYBELL_REDIS_URL', 'redis://:secret@r:port', /redis:\/\/host:6379/],
    ['PAYBELL_REDIS_URL', 'redis://:secret@r/0?tls=no', /number of a database/],
    ['PAYBELL_MASTER_KEYS', 'a:short', /"a" that is not the base64 of 32 bytes/],
    ['PAYBELL_MASTER_KEYS', `a b:${'A'.repeat(43)}=`, /name/],
    ['PAYBELL_MASTER_KEYS', `a:${'A'.repeat(43)}=,a:${'B'.repeat(43)}=`, /"a" twice/],
    ['PAYBELL_RETENTION_BODIES', '0', /must not be zero: write forever to keep it/],
    ['PAYBELL_RETENTION_ATTEMPTS', '0d', /must not be zero/],
    ['PAYBELL_RETENTION_QUARANTINE', '90', /an age such as 24h, 90d or 7y, or forever, not "90"/],
    ['PAYBELL_ADMIN_KEY', 'with space', /printable ASCII/],
    ['PAYBELL_PUBLIC_URL', 'https://u:p@pay.example', /user name/],
    ['PAYBELL_PUBLIC_URL', 'https://pay.example/?a', /without/],
    ['PAYBELL_ALLOW_PRIVATE_CIDRS', '10.0.0.0', /ranges such as/],
    ['PAYBELL_ALLOW_PRIVATE_CIDRS', '10.0.0.0/33', /ranges such as/],
    ['PAYBELL_ALLOW_PRIVATE_CIDRS', '10.0.0.0/8,', /ranges such as/],
  ];
  for (const [name, value, sentence] of refused) {
    it(`refuse ${name}=${value.slice(0, 30)}`, () => {
      const text = problems({ env: { [name]: value } });
      assert.match(text, sentence);
      assert.ok(text.startsWith(`${name} `));
      assert.ok(!text.includes('secret') && !text.includes('A'.repeat(43)), 'a secret is in the message');
    });
  }

  it('are told apart from secrets: no secret has a flag but the address that may hold one', () => {
    for (const setting of SETTINGS.filter(({ secret }) => secret))
      assert.ok(setting.flag === null || ['redisUrl', 'databaseUrl'].includes(setting.name), setting.name);
  });
});
