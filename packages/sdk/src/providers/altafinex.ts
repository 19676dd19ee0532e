import { idAt, objectAt, textAt, timeAt, timeText } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { jsonObject, stringifyJson } from '../json.ts';
import type { JsonValue } from '../json.ts';
import { readMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { hmac } from '../schemes/hmac.ts';

const scheme = hmac({ header: 'x-altafinex-signature', hash: 'sha256', encoding: 'hex' });

const payment = {
  payment_id: 'pay_5tG9wQ2n',
  amount: 10000,
  currency: 'THB',
  created_at: '2026-11-22T03:10:00Z',
  reference: 'BKK-4471',
  customer: { name: 'Somchai Srisuk' },
};
const refund = {
  refund_id: 'ref_8dL1vK3c',
  payment_id: 'pay_5tG9wQ2n',
  amount: 2500,
  currency: 'THB',
  created_at: '2026-11-22T04:25:00Z',
  reference: 'BKK-4471',
};

const events: Record<string, EventSpec> = {
  'payment.succeeded': {
    kind: 'payment',
    status: 'succeeded',
    title: 'Payment completed successfully',
    example: { ...payment, status: 'succeeded' },
  },
  'payment.failed': {
    kind: 'payment',
    status: 'failed',
    title: 'Payment was declined or failed',
    example: { ...payment, status: 'failed', failure_reason: 'Card declined' },
  },
  'payment.pending': { kind: 'payment', status: 'pending', title: 'Payment is pending', example: { ...payment, status: 'pending' } },
  'refund.completed': {
    kind: 'refund',
    status: 'succeeded',
    title: 'Refund has been processed',
    example: { ...refund, status: 'completed' },
  },
  'refund.failed': { kind: 'refund', status: 'failed', title: 'Refund failed', example: { ...refund, status: 'failed' } },
};

/** Source: docs.altafinex.com. Amounts are whole numbers of the smallest unit. */
export const altafinex = defineProvider({
  id: 'altafinex',
  name: 'Altafinex',
  about: 'Card, PromptPay and bank payments in Thailand.',
  sources: ['https://docs.altafinex.com/guides/webhooks', 'https://docs.altafinex.com/merchants/webhooks'],
  rails: ['card', 'bank_transfer', 'wallet'],
  authenticity: 'signed-body',
  signature: 'hex HMAC-SHA256 of the raw body in X-Altafinex-Signature',
  retry: { delays: ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'], timeout: '15s', documented: false },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify: scheme.verify,
  sign: scheme.sign,
  read: (body, context) => [readEvent(body, context)],
  envelope: ({ type, data, occurredAt }) => utf8(stringifyJson(jsonObject({ event: type, data, timestamp: timeText(occurredAt) }))),
  makeSecret: (random) => `whsec_${encode(random, 'hex')}`,
});

function readEvent(body: JsonValue, { digest }: ReadContext): Fact {
  const type = idAt(body, 'event') ?? 'unknown';
  const data = objectAt(body, 'data');
  const draft = { type, occurredAt: timeAt(body, 'timestamp') ?? timeAt(data, 'created_at'), data };
  const spec = Object.hasOwn(events, type) ? events[type] : undefined;
  if (spec?.kind == null || spec.status === null) return unmapped(draft, digest, `Altafinex does not document the event "${type}".`);
  const paid = idAt(data, 'payment_id');
  const isRefund = spec.kind === 'refund';
  const key = isRefund ? (idAt(data, 'refund_id') ?? paid) : paid;
  if (key === undefined) return unmapped(draft, digest, 'It has neither a payment_id nor a refund_id.');
  return mapped(
    draft,
    `${type}:${key}`,
    movement({
      kind: spec.kind,
      key,
      status: spec.status,
      reference: idAt(data, 'reference', 'order_id'),
      providerReference: key,
      amount: readMoney({ amount: data['amount'], currency: data['currency'], unit: 'minor' }),
      parent: isRefund ? { kind: 'payment', key: paid } : undefined,
      customer: { name: textAt(objectAt(data, 'customer'), 'name'), email: textAt(objectAt(data, 'customer'), 'email') },
      reason:
        spec.status === 'failed' ? { code: textAt(data, 'failure_code', 'status'), message: textAt(data, 'failure_reason') } : undefined,
    }),
  );
}
