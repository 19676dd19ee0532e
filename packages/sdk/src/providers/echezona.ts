import { asObject, idAt, memberAt, objectAt, textAt, timeAt } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { isJsonObject, jsonObject, stringifyJson } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Rail } from '../ledger/transaction.ts';
import { readMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { hmac } from '../schemes/hmac.ts';
import type { HmacForm } from '../schemes/hmac.ts';
import { refuse } from '../schemes/secret.ts';

const customer = { email: 'chinedu.okafor@example.com', name: 'Chinedu Okafor' };
const payment = { transaction_id: '240918735', amount: 5000, currency: 'NGN', customer };
const transfer = {
  transaction_id: '240920114',
  amount: 75000,
  currency: 'NGN',
  status: 'success',
  customer: { email: 'ngozi.eze@example.com', name: 'Ngozi Eze' },
};

const events: Record<string, EventSpec> = {
  'payment.success': { kind: 'payment', status: 'succeeded', title: 'Payment is successful', example: { ...payment, status: 'success' } },
  'payment.failed': { kind: 'payment', status: 'failed', title: 'Payment fails', example: { ...payment, status: 'failed' } },
  'refund.processed': { kind: 'refund', status: 'succeeded', title: 'Refund is processed', example: { ...payment, status: 'processed' } },
  'transfer.success': { kind: 'transfer', status: 'succeeded', title: 'Transfer is successful', example: transfer },
  'subscription.renew': {
    kind: 'payment',
    status: 'succeeded',
    title: 'Subscription is renewed',
    example: { ...payment, transaction_id: '240921550', status: 'success' },
  },
  'charge.success': {
    kind: 'payment',
    status: 'succeeded',
    title: 'Payment is successful (plugin name)',
    example: { ...payment, status: 'success' },
  },
  'charge.failed': { kind: 'payment', status: 'failed', title: 'Payment fails (plugin name)', example: { ...payment, status: 'failed' } },
};

const RAILS: Readonly<Record<string, Rail>> = {
  card: 'card',
  bank_transfer: 'bank_transfer',
  transfer: 'bank_transfer',
  ussd: 'bank_transfer',
  wallet: 'wallet',
};
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,80}$/i;

/** Sources: docs.echezona.com and its WooCommerce plugin. How it signs is published nowhere, so nothing passes until that is configured. */
export const echezona = defineProvider({
  id: 'echezona',
  name: 'Echezona',
  about: 'Card and bank payments in Nigeria. Its signature is not documented: set header, hash and encoding as your dashboard shows them.',
  sources: ['https://docs.echezona.com/docs/guide/integrations/webhooks'],
  rails: ['card', 'bank_transfer'],
  authenticity: 'signed-body',
  signature: 'HMAC of the raw body; header, hash and encoding as configured',
  // "Up to 3 retries", without their times.
  retry: { delays: ['0s', '5m', '30m', '2h'], timeout: '15s', documented: false },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify(input) {
    const form = formOf(input.options);
    if (form === null)
      return refuse('not_configured', 'Set the option "signature" with header, hash and encoding: Echezona does not publish them.');
    return hmac(form).verify(input);
  },
  sign(input) {
    const form = formOf(input.options);
    if (form === null) throw new Error('Echezona signs nothing until the option "signature" names header, hash and encoding.');
    return hmac(form).sign(input);
  },
  read: (body, context) => [readEvent(body, context)],
  envelope: ({ type, data }) => utf8(stringifyJson(jsonObject({ event: type, data }))),
  exampleOptions: jsonObject({
    signature: jsonObject({ header: 'x-echezona-signature', hash: 'sha512', encoding: 'hex' }),
    amountUnit: 'major',
  }),
  checkOptions,
  makeSecret: (random) => encode(random, 'hex'),
});

function checkOptions(options: JsonObject): string | null {
  const unknown = Object.keys(options).find((key) => key !== 'signature' && key !== 'amountUnit');
  if (unknown !== undefined) return `Echezona has no option "${unknown}"; it has "signature" and "amountUnit".`;
  const unit = options['amountUnit'];
  if (unit !== undefined && unit !== 'major' && unit !== 'minor') return '"amountUnit" is "major" or "minor".';
  const signature = options['signature'];
  if (signature === undefined) return null;
  if (!isJsonObject(signature)) return '"signature" is an object with header, hash and encoding.';
  const other = Object.keys(signature).find((key) => key !== 'header' && key !== 'hash' && key !== 'encoding');
  if (other !== undefined) return `"signature" has no member "${other}"; it has header, hash and encoding.`;
  return formOf(options) === null
    ? '"signature" needs header (a header name), hash ("sha256" or "sha512") and encoding ("hex" or "base64").'
    : null;
}

function formOf(options: JsonObject | undefined): HmacForm | null {
  const signature = objectAt(options, 'signature');
  const { header, hash, encoding } = signature;
  if (typeof header !== 'string' || !HEADER.test(header)) return null;
  if ((hash !== 'sha256' && hash !== 'sha512') || (encoding !== 'hex' && encoding !== 'base64')) return null;
  return { header: header.toLowerCase(), hash, encoding };
}

function readEvent(body: JsonValue, { digest, options }: ReadContext): Fact {
  const type = idAt(body, 'event') ?? 'unknown';
  const data = memberAt(body, 'data') === undefined ? asObject(body) : objectAt(body, 'data');
  const draft = { type, occurredAt: timeAt(data, 'timestamp') ?? timeAt(body, 'timestamp'), data };
  const spec = Object.hasOwn(events, type) ? events[type] : undefined;
  if (spec?.kind == null || spec.status === null) return unmapped(draft, digest, `Echezona does not document the event "${type}".`);
  const paid = idAt(data, 'transaction_id', 'transactionId');
  const key = spec.kind === 'refund' ? (idAt(data, 'refund_id', 'refundId') ?? paid) : paid;
  if (key === undefined) return unmapped(draft, digest, 'It has no transaction_id.');
  const unit = options?.['amountUnit'];
  const person = objectAt(data, 'customer');
  return mapped(
    draft,
    `${type}:${key}`,
    movement({
      kind: spec.kind,
      key,
      status: spec.status,
      rail: spec.kind === 'transfer' ? 'bank_transfer' : RAILS[textAt(data, 'paymentMethod', 'payment_method')?.toLowerCase() ?? ''],
      reference: idAt(data, 'reference', 'order_id', 'orderId'),
      providerReference: key,
      // Two editions of its page disagree about the unit, so it is never guessed.
      amount: readMoney({
        amount: data['amount'],
        currency: data['currency'] ?? 'NGN',
        unit: unit === 'major' || unit === 'minor' ? unit : undefined,
      }),
      parent: spec.kind === 'refund' ? { kind: 'payment', key: paid ?? key } : undefined,
      customer: { name: textAt(person, 'name'), email: textAt(person, 'email') ?? textAt(data, 'customerEmail') },
      reason:
        spec.status === 'failed' ? { code: textAt(data, 'status') ?? 'failed', message: textAt(data, 'message', 'reason') } : undefined,
      flags: [type === 'subscription.renew' && 'renewal'],
    }),
  );
}
