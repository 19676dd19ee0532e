import { idAt, memberAt, objectAt, textAt, timeAt, timeText } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { headerText } from '../headers.ts';
import { jsonObject, stringifyJson } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { RAILS } from '../ledger/transaction.ts';
import type { Kind, Rail, Status } from '../ledger/transaction.ts';
import { readCanonicalMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { isOfKeyPair, keyPairFrom, publicKey, publicText } from '../schemes/ed25519.ts';
import { standardKey, standardWebhooks } from '../schemes/standard-webhooks.ts';

const KINDS: Readonly<Record<string, Kind>> = {
  payment: 'payment',
  charge: 'payment',
  transaction: 'payment',
  refund: 'refund',
  payout: 'payout',
  disbursement: 'payout',
  withdrawal: 'payout',
  transfer: 'transfer',
  settlement: 'settlement',
  fee: 'fee',
  dispute: 'dispute',
  adjustment: 'adjustment',
};

const STATUSES: Readonly<Record<string, Status>> = {
  created: 'created',
  action_required: 'action_required',
  requires_action: 'action_required',
  unknown: 'unknown',
  pending: 'pending',
  processing: 'pending',
  on_hold: 'on_hold',
  awaiting_gas: 'on_hold',
  authorized: 'authorized',
  partially_paid: 'partially_succeeded',
  partially_succeeded: 'partially_succeeded',
  withdrawn: 'partially_succeeded',
  failed: 'failed',
  declined: 'failed',
  canceled: 'canceled',
  cancelled: 'canceled',
  expired: 'expired',
  timeout: 'expired',
  succeeded: 'succeeded',
  success: 'succeeded',
  successful: 'succeeded',
  completed: 'succeeded',
  confirmed: 'succeeded',
  paid: 'succeeded',
  captured: 'succeeded',
  processed: 'succeeded',
  reversed: 'reversed',
};

// Of a dispute, success is the payer's: what was paid went back.
const DISPUTE_STATUSES: Readonly<Record<string, Status>> = {
  opened: 'created',
  evidence_due: 'action_required',
  won: 'failed',
  lost: 'succeeded',
};

const payment = {
  transactionId: 'pay_7Qm2xVb1',
  reference: 'INV-1042',
  amount: { value: '250000', exponent: 2, currency: 'KES', text: '2500.00' },
  rail: 'mobile_money',
  customer: { name: 'Achieng Otieno', phone: '+254722000417' },
};
const refund = {
  id: 'rfd_1Kc8Lw',
  transactionId: 'pay_7Qm2xVb1',
  reference: 'INV-1042',
  amount: { value: '50000', exponent: 2, currency: 'KES', text: '500.00' },
};
const payout = {
  transactionId: 'pyt_3Hd9Rt',
  reference: 'SAL-0931',
  amount: { value: '4500000', exponent: 2, currency: 'TZS', text: '45000.00' },
  rail: 'mobile_money',
};
const settlement = {
  id: 'stl_20261121',
  reference: '2026-11-21',
  amount: { value: '98250000', exponent: 2, currency: 'NGN', text: '982500.00' },
  rail: 'bank_transfer',
};
const dispute = { id: 'dsp_5Yt2', transactionId: 'pay_7Qm2xVb1', reference: 'INV-1042', amount: payment.amount, rail: 'card' };

const failed = {
  merchant: 'default',
  endpoint: 'end_01kb0v6q2n8w4t7e3r5y9u1p0s',
  url: 'https://shop.example/webhooks',
  reason: 'http_5xx',
  message: 'The server failed while handling the webhook.',
  since: '2026-11-22T09:00:00.000Z',
};
const failing = { ...failed, failures: 12 };
const exhausted = {
  ...failed,
  delivery: 'dlv_01kb0v6q2n8w4t7e3r5y9u1p0s',
  event: 'evt_01kb0v6q2n8w4t7e3r5y9u1p0s',
  eventType: 'payment.succeeded',
  transaction: null,
  statusCode: 500,
  attempts: 10,
  count: 1,
  deliveries: ['dlv_01kb0v6q2n8w4t7e3r5y9u1p0s'],
};

/** No payment in them: they tell whoever runs Paybell how endpoints are doing. */
const operational: Record<string, EventSpec> = {
  'endpoint.failing': { kind: null, status: null, title: 'An endpoint is down, or does nothing but fail', example: failing },
  'endpoint.disabled': {
    kind: null,
    status: null,
    title: 'An endpoint was disabled',
    example: {
      ...failing,
      reason: 'failing',
      message: 'The endpoint has done nothing but fail for as long as is allowed, so it was disabled.',
    },
  },
  'endpoint.recovered': {
    kind: null,
    status: null,
    title: 'An endpoint that failed is back',
    example: { ...failing, reason: 'ok', message: 'The endpoint accepted the webhook.' },
  },
  'delivery.exhausted': { kind: null, status: null, title: 'The last try of a delivery failed', example: exhausted },
};

const events: Record<string, EventSpec> = {
  'payment.created': { kind: 'payment', status: 'created', title: 'A payment is known, nothing is asked yet', example: payment },
  'payment.action_required': { kind: 'payment', status: 'action_required', title: 'The payer has to act', example: payment },
  'payment.pending': { kind: 'payment', status: 'pending', title: 'The payment is on its way', example: payment },
  'payment.authorized': { kind: 'payment', status: 'authorized', title: 'Funds are reserved', example: { ...payment, rail: 'card' } },
  'payment.partially_paid': { kind: 'payment', status: 'partially_succeeded', title: 'Some of the money came', example: payment },
  'payment.succeeded': { kind: 'payment', status: 'succeeded', title: 'The money came', example: payment },
  'payment.failed': {
    kind: 'payment',
    status: 'failed',
    title: 'The payment failed',
    example: { ...payment, reason: { code: 'declined', message: 'Insufficient funds' } },
  },
  'payment.canceled': { kind: 'payment', status: 'canceled', title: 'The payer gave up', example: payment },
  'payment.expired': { kind: 'payment', status: 'expired', title: 'The payer did not answer in time', example: payment },
  'payment.reversed': { kind: 'payment', status: 'reversed', title: 'The money went back', example: payment },
  'refund.pending': { kind: 'refund', status: 'pending', title: 'A refund is on its way', example: refund },
  'refund.succeeded': { kind: 'refund', status: 'succeeded', title: 'A refund was paid', example: refund },
  'refund.failed': { kind: 'refund', status: 'failed', title: 'A refund failed', example: refund },
  'payout.pending': { kind: 'payout', status: 'pending', title: 'A payout is on its way', example: payout },
  'payout.succeeded': { kind: 'payout', status: 'succeeded', title: 'A payout arrived', example: payout },
  'payout.failed': { kind: 'payout', status: 'failed', title: 'A payout failed', example: payout },
  'transfer.succeeded': { kind: 'transfer', status: 'succeeded', title: 'A transfer arrived', example: payout },
  'transfer.failed': { kind: 'transfer', status: 'failed', title: 'A transfer failed', example: payout },
  'settlement.created': { kind: 'settlement', status: 'created', title: 'A settlement was made up', example: settlement },
  'settlement.paid': { kind: 'settlement', status: 'succeeded', title: 'A settlement reached the bank', example: settlement },
  'settlement.failed': { kind: 'settlement', status: 'failed', title: 'A settlement failed', example: settlement },
  'dispute.opened': { kind: 'dispute', status: 'created', title: 'The payer disputes a payment', example: dispute },
  'dispute.evidence_due': { kind: 'dispute', status: 'action_required', title: 'A dispute waits for evidence', example: dispute },
  'dispute.won': { kind: 'dispute', status: 'failed', title: 'A dispute was won: the money stays', example: dispute },
  'dispute.lost': { kind: 'dispute', status: 'succeeded', title: 'A dispute was lost: the money went back', example: dispute },
  ...operational,
};

/** Source: the Standard Webhooks specification 1.0.0. The data is Paybell's canonical form. */
export const paybell = defineProvider({
  id: 'paybell',
  name: 'Paybell',
  about: 'Standard Webhooks with canonical payment events: for your own services, and the format in which Paybell speaks to your app.',
  sources: ['https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md'],
  rails: RAILS,
  authenticity: 'signed-body',
  signature: 'Standard Webhooks: base64 HMAC-SHA256 (v1) or ed25519 (v1a) of id.timestamp.body in webhook-signature',
  retry: { delays: ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'], timeout: '15s', documented: true },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify: standardWebhooks.verify,
  sign: standardWebhooks.sign,
  read: (body, context) => [readEvent(body, context)],
  envelope: ({ type, data, occurredAt }) => utf8(stringifyJson(jsonObject({ type, timestamp: timeText(occurredAt), data }))),
  checkSecret(secret) {
    if (isOfKeyPair(secret)) return publicKey(secret) === null ? `This is no ${secret.slice(0, 5)} key: base64 of an ed25519 key.` : null;
    const bytes = standardKey(secret);
    if (bytes === null) return 'The secret is "whsec_" and base64; for a key pair "whsk_" or "whpk_" and base64.';
    return bytes.length >= 24 && bytes.length <= 64 ? null : `The secret holds ${bytes.length} bytes; it must hold 24 to 64.`;
  },
  makeSecret: (random) => `whsec_${encode(random, 'base64')}`,
  keyPair: { makeSecret: keyPairFrom, publicKeyOf: publicText },
});

function readEvent(body: JsonValue, { digest, headers }: ReadContext): Fact {
  const type = idAt(body, 'type') ?? 'unknown';
  const data = objectAt(body, 'data');
  const draft = { type, occurredAt: timeAt(body, 'timestamp'), data: memberAt(body, 'data') ?? data };
  const eventId = idAt({ id: headerText(headers, 'webhook-id') }, 'id');
  const meaning = meaningOf(type);
  if (meaning === null) return unmapped(draft, eventId ?? digest, `"${type}" is no canonical event name such as "payment.succeeded".`);
  const key = keyOf(meaning.kind, data);
  if (key === undefined) return unmapped(draft, eventId ?? digest, 'The data has no transactionId, paymentId, id or reference.');
  const customer = objectAt(data, 'customer');
  const reason = objectAt(data, 'reason');
  return mapped(
    draft,
    eventId ?? `${type}:${key}`,
    movement({
      kind: meaning.kind,
      key,
      status: meaning.status,
      substate: textAt(data, 'substate') ?? meaning.substate,
      rail: RAILS.find((rail: Rail) => rail === data['rail']),
      reference: idAt(data, 'reference'),
      providerReference: idAt(data, 'transactionId', 'paymentId', 'id'),
      amount: readCanonicalMoney(data['amount']),
      amountReceived: readCanonicalMoney(data['amountReceived']),
      parent: parentOf(meaning.kind, data, key),
      customer: {
        reference: idAt(customer, 'reference'),
        name: textAt(customer, 'name'),
        email: textAt(customer, 'email'),
        phone: idAt(customer, 'phone'),
      },
      reason: { code: textAt(reason, 'code'), message: textAt(reason, 'message') },
    }),
  );
}

/** `payment.completed` is a payment that succeeded; null for names that say neither. */
function meaningOf(type: string): { readonly kind: Kind; readonly status: Status; readonly substate?: string } | null {
  const [prefix = '', suffix = '', more] = type.split('.');
  const kind = Object.hasOwn(KINDS, prefix) ? KINDS[prefix] : undefined;
  if (kind === undefined || more !== undefined) return null;
  // The refund of a payment is a transaction of its own, named after the payment.
  if (kind === 'payment' && suffix === 'refunded') return { kind: 'refund', status: 'succeeded' };
  const table = kind === 'dispute' && Object.hasOwn(DISPUTE_STATUSES, suffix) ? DISPUTE_STATUSES : STATUSES;
  const status = Object.hasOwn(table, suffix) ? table[suffix] : undefined;
  if (status === undefined) return null;
  return suffix === 'awaiting_gas' || suffix === 'withdrawn' ? { kind, status, substate: suffix } : { kind, status };
}

/** A refund or dispute has its own `id` beside the payment's ids; all else is known by the first id it has. */
function keyOf(kind: Kind, data: JsonObject): string | undefined {
  return belongsToPayment(kind)
    ? idAt(data, 'id', 'refundId', 'disputeId', 'transactionId', 'paymentId', 'reference')
    : idAt(data, 'transactionId', 'paymentId', 'id', 'reference');
}

function parentOf(kind: Kind, data: JsonObject, key: string): { readonly kind: Kind; readonly key: string } | undefined {
  return belongsToPayment(kind) ? { kind: 'payment', key: idAt(data, 'paymentId', 'transactionId') ?? key } : undefined;
}

function belongsToPayment(kind: Kind): boolean {
  return kind === 'refund' || kind === 'dispute';
}
