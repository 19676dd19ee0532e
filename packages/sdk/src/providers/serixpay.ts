import { idAt, objectAt, textAt, timeAt, timeText } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { jsonObject, stringifyJson } from '../json.ts';
import type { JsonValue } from '../json.ts';
import type { Rail } from '../ledger/transaction.ts';
import { readMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { hmac } from '../schemes/hmac.ts';
import { orReserialised } from '../schemes/reserialised.ts';

const scheme = hmac({ header: 'x-serixpay-signature', hash: 'sha256', encoding: 'hex' });

const RAILS: Readonly<Record<string, Rail>> = { mpesa: 'mobile_money', card: 'card', bank: 'bank_transfer' };

const payment = {
  orderId: 'ORD-2041',
  transactionId: 'txn_8fk20sLq',
  amount: 1000,
  currency: 'KES',
  method: 'mpesa',
  metadata: { customer: 'Wanjiku Kamau', branch: 'Westlands' },
};
const payout = {
  orderId: 'PAY-0317',
  transactionId: 'txn_p41xTz9c',
  amount: 12500,
  currency: 'KES',
  method: 'mpesa',
  metadata: { recipient: 'Otieno Odhiambo' },
};

const events: Record<string, EventSpec> = {
  'payment.completed': {
    kind: 'payment',
    status: 'succeeded',
    title: 'Payment was successful',
    example: { ...payment, status: 'completed' },
  },
  'payment.failed': {
    kind: 'payment',
    status: 'failed',
    title: 'Payment was declined or failed',
    example: { ...payment, status: 'failed', reason: 'Insufficient balance' },
  },
  'payment.pending': {
    kind: 'payment',
    status: 'pending',
    title: 'Payment is awaiting confirmation',
    example: { ...payment, status: 'pending' },
  },
  'payment.cancelled': {
    kind: 'payment',
    status: 'canceled',
    title: 'Payment was cancelled by customer',
    example: { ...payment, status: 'cancelled' },
  },
  'payment.timeout': { kind: 'payment', status: 'expired', title: 'Payment timed out', example: { ...payment, status: 'timeout' } },
  'payment.refunded': {
    kind: 'refund',
    status: 'succeeded',
    title: 'Payment was refunded',
    example: { ...payment, method: 'card', status: 'refunded' },
  },
  'payout.completed': {
    kind: 'payout',
    status: 'succeeded',
    title: 'Payout was delivered successfully',
    example: { ...payout, status: 'completed' },
  },
  'payout.failed': {
    kind: 'payout',
    status: 'failed',
    title: 'Payout delivery failed',
    example: { ...payout, status: 'failed', reason: 'Recipient is not registered' },
  },
  'payout.processing': {
    kind: 'payout',
    status: 'pending',
    title: 'Payout is being processed',
    example: { ...payout, status: 'processing' },
  },
};

/** Source: serixpay.serix.co.ke/docs. Amounts are numbers in major units. */
export const serixpay = defineProvider({
  id: 'serixpay',
  name: 'SerixPay',
  about: 'M-PESA, card and payout payments in Kenya.',
  sources: ['https://serixpay.serix.co.ke/docs/webhooks'],
  rails: ['mobile_money', 'card'],
  authenticity: 'signed-body',
  signature: 'hex HMAC-SHA256 of the raw body in X-SerixPay-Signature',
  retry: { delays: ['0s', '1m', '5m', '30m', '2h'], timeout: '30s', documented: true },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify: (input) => (input.options?.['reserialised'] === true ? orReserialised(scheme.verify, input) : scheme.verify(input)),
  sign: scheme.sign,
  read: (body, context) => [readEvent(body, context)],
  envelope: ({ type, data, occurredAt }) => utf8(stringifyJson(jsonObject({ event: type, timestamp: timeText(occurredAt), data }))),
  checkOptions(options) {
    const unknown = Object.keys(options).find((key) => key !== 'reserialised');
    if (unknown !== undefined) return `SerixPay has no option "${unknown}"; it has "reserialised".`;
    return typeof options['reserialised'] === 'boolean' || options['reserialised'] === undefined
      ? null
      : '"reserialised" is true or false.';
  },
  makeSecret: (random) => encode(random, 'hex'),
});

function readEvent(body: JsonValue, { digest }: ReadContext): Fact {
  const type = idAt(body, 'event') ?? 'unknown';
  const data = objectAt(body, 'data');
  const draft = { type, occurredAt: timeAt(body, 'timestamp'), data };
  const spec = Object.hasOwn(events, type) ? events[type] : undefined;
  if (spec?.kind == null || spec.status === null) return unmapped(draft, digest, `SerixPay does not document the event "${type}".`);
  const key = idAt(data, 'transactionId', 'orderId');
  if (key === undefined) return unmapped(draft, digest, 'It has neither a transactionId nor an orderId.');
  return mapped(
    draft,
    `${type}:${key}`,
    movement({
      kind: spec.kind,
      key,
      status: spec.status,
      rail: RAILS[textAt(data, 'method') ?? ''],
      reference: idAt(data, 'orderId'),
      providerReference: idAt(data, 'transactionId'),
      amount: readMoney({ amount: data['amount'], currency: data['currency'], unit: 'major' }),
      // A refund is told with the ids of its payment.
      parent: spec.kind === 'refund' ? { kind: 'payment', key } : undefined,
      reason:
        spec.status === 'failed'
          ? { code: textAt(data, 'failureCode', 'status'), message: textAt(data, 'reason', 'failureReason') }
          : undefined,
    }),
  );
}
