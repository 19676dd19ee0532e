import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { diagnose, normalHeaders, signBody, verify } from '@paybell/sdk';
import type { KeyPairForm } from '@paybell/sdk';
import { NOW, provider, secretFor } from './support/given.ts';

const paybell = provider('paybell');
const keyPair = paybell.keyPair as KeyPairForm;
const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const whsk = keyPair.makeSecret(seed(1));
const whpk = keyPair.publicKeyOf(whsk) ?? '';
const whsec = secretFor(paybell);
const body = '{"type":"payment.succeeded","data":{"name":"Zoë","amount":1.00}}';

const bytesOf = (key: string): Buffer => Buffer.from(key.slice(5), 'base64');
const reasonOf = (verdict: ReturnType<typeof verify>): string => (verdict.ok ? `ok ${verdict.secretIndex}` : verdict.reason);
const signed = (secret: string | readonly string[], now = NOW) => signBody('paybell', { body, id: 'evt_1', now, secret }).headers;
const judged = (secret: string | readonly string[], headers: Readonly<Record<string, string>>, text = body): string =>
  reasonOf(verify('paybell', { body: text, headers, secret, now: NOW }));

/** The same keys as another reader would build them, by JSON Web Key. */
function jwkOf(text: string) {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytesOf(text).toString('base64url') }, format: 'jwk' });
}

test('v1a is an ed25519 signature of id.timestamp.body, as any ed25519 reader finds it', () => {
  const headers = signed(whsk);
  const [version, base64 = ''] = (headers['webhook-signature'] ?? '').split(',');
  assert.equal(version, 'v1a');
  const content = Buffer.from(`evt_1.${NOW / 1000}.${body}`);
  assert.equal(verifyBytes(null, content, jwkOf(whpk), Buffer.from(base64, 'base64')), true);
  assert.equal(verifyBytes(null, Buffer.concat([content, Buffer.from(' ')]), jwkOf(whpk), Buffer.from(base64, 'base64')), false);
});

test('what a key pair made elsewhere signs is accepted under its public key and under none other', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const theirs = `whpk_${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`;
  const signature = signBytes(null, Buffer.from(`msg_7.${NOW / 1000}.${body}`), privateKey).toString('base64');
  const headers = { 'webhook-id': 'msg_7', 'webhook-timestamp': String(NOW / 1000), 'webhook-signature': `v1a,${signature}` };
  assert.equal(judged(theirs, headers), 'ok 0');
  assert.equal(judged([whpk, theirs], headers), 'ok 1');
  assert.equal(judged(whpk, headers), 'signature_mismatch');
  assert.equal(judged(theirs, headers, `${body} `), 'signature_mismatch');
  assert.equal(judged(theirs, { ...headers, 'webhook-id': 'msg_8' }), 'signature_mismatch');
});

test('a secret key may be the seed alone or with its public half, and never with another one', () => {
  const bytes = bytesOf(whsk);
  assert.equal(bytes.length, 64);
  assert.deepEqual(bytes.subarray(0, 32), Buffer.from(seed(1)));
  assert.deepEqual(bytes.subarray(32), bytesOf(whpk));
  const alone = `whsk_${bytes.subarray(0, 32).toString('base64')}`;
  assert.equal(keyPair.publicKeyOf(alone), whpk);
  assert.deepEqual(signed(alone), signed(whsk));
  const mixed = `whsk_${Buffer.concat([bytes.subarray(0, 32), bytesOf(keyPair.publicKeyOf(keyPair.makeSecret(seed(2))) ?? '')]).toString('base64')}`;
  assert.equal(keyPair.publicKeyOf(mixed), null);
  assert.throws(() => signed(mixed), /secret is needed/);
  for (const bad of ['whsk_', 'whpk_', 'whsk_***', `whsk_${whsec.slice(6, 20)}`, `${whpk}AAAA`, mixed, `${whsk} `, 'whpk_AAAA'])
    assert.match(paybell.checkSecret?.(bad) ?? '', /^This is no whs?p?k_ key/, bad);
  for (const good of [whsk, alone, whpk, whsec]) assert.equal(paybell.checkSecret?.(good), null, good);
});

test('both ways at once: each receiver finds its own signature, standardwebhooks among them', () => {
  const now = Date.now();
  const headers = signed([whsec, whsk], now);
  assert.match(headers['webhook-signature'] ?? '', /^v1,\S{44} v1a,\S{88}$/);
  assert.deepEqual(new Webhook(whsec).verify(body, { ...headers }), JSON.parse(body));
  for (const secret of [whsec, whpk, whsk]) assert.equal(verify('paybell', { body, headers, secret, now }).ok, true);
});

test('during a change of keys both pairs sign, and either public key accepts', () => {
  const fresh = keyPair.makeSecret(seed(2));
  const headers = signed([fresh, whsk]);
  assert.equal(judged(whpk, headers), 'ok 0');
  assert.equal(judged(keyPair.publicKeyOf(fresh) ?? '', headers), 'ok 0');
});

test('a public key signs nothing, and is never taken for a shared secret', () => {
  assert.throws(() => signed(whpk), /secret is needed/);
  // Whoever knows the public key must not be able to sign an HMAC with its bytes.
  const forged = signBody('paybell', { body, id: 'evt_1', now: NOW, secret: `whsec_${whpk.slice(5)}` }).headers;
  assert.equal(judged(whpk, forged), 'signature_malformed');
  const relabelled = { ...forged, 'webhook-signature': (forged['webhook-signature'] ?? '').replace('v1,', 'v1a,') };
  assert.equal(judged(whpk, relabelled), 'signature_malformed');
});

test('signatures that are none, or too many, are refused with what to do', () => {
  const headers = signed(whsk);
  const entry = headers['webhook-signature'] ?? '';
  const sent = (text: string): Readonly<Record<string, string>> => ({ ...headers, 'webhook-signature': text });
  for (const bad of ['v1a,', 'v1a', 'v1a,***', `v1a,${entry.slice(8)}`, entry.replace('v1a', 'v1b')])
    assert.equal(judged(whpk, sent(bad)), 'signature_malformed', bad);
  assert.equal(judged(whpk, sent(`v1a,${Buffer.alloc(64).toString('base64')}`)), 'signature_mismatch');
  assert.equal(judged(whpk, sent(`v1a,zzz v1,zzz ${entry}`)), 'ok 0');
  assert.equal(judged(whpk, sent(Array(7).fill(entry).join(' '))), 'too_many_signatures');
  assert.equal(judged('whpk_AAAA', headers), 'not_configured');
  const detail = (secret: string, given: Readonly<Record<string, string>>): string => {
    const verdict = verify('paybell', { body, headers: given, secret, now: NOW });
    return verdict.ok ? '' : verdict.detail;
  };
  assert.match(detail(whsec, headers), /but "v1a,"\. Set the public key/);
  assert.match(detail(whpk, signed(whsec)), /but "v1,"\. Set the shared secret/);
});

test('diagnosis of a v1a webhook: clock and body are told apart, no key is shown', () => {
  const input = (over: object) => ({ body: Buffer.from(body), headers: normalHeaders(signed(whsk)), secrets: [whpk], now: NOW, ...over });
  const causes = (over: object): readonly string[] => diagnose(paybell, input(over)).map(({ cause }) => cause);
  assert.deepEqual(causes({}), []);
  assert.deepEqual(causes({ now: NOW + 3_600_000 }), ['clock']);
  assert.deepEqual(causes({ body: Buffer.from(`${body}\n`) }), ['body_newline']);
  assert.deepEqual(causes({ secrets: [` ${whpk}`] }), ['secret_whitespace']);
  const wrong = diagnose(paybell, input({ secrets: [keyPair.publicKeyOf(keyPair.makeSecret(seed(9))) ?? ''] }));
  assert.deepEqual(
    wrong.map(({ cause }) => cause),
    ['wrong_secret'],
  );
  assert.ok(!JSON.stringify(wrong).includes(whpk.slice(5)));
});
