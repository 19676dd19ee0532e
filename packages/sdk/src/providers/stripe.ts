import { idAt, memberAt, objectAt, textAt, timeAt } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { isJsonObject, JsonNumber, jsonObject, stringifyJson } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Kind, Rail, Status } from '../ledger/transaction.ts';
import { readMoney } from '../money.ts';
import type { MoneyReading } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { signatureList } from '../schemes/signature-list.ts';

const scheme = signatureList({ header: 'stripe-signature', time: 't', signature: 'v1' });

const intent = {
  id: 'pi_3QPw8kL2eZ',
  object: 'payment_intent',
  amount: 4200,
  currency: 'usd',
  metadata: { order_id: 'WEB-5512' },
  payment_method_types: ['card'],
};
const refund = {
  id: 're_3QPw8kL2eA',
  object: 'refund',
  amount: 1200,
  currency: 'usd',
  payment_intent: 'pi_3QPw8kL2eZ',
  charge: 'ch_3QPw8kL2eB',
};
const payout = { id: 'po_1QQ0hVL2eC', object: 'payout', amount: 310050, currency: 'eur', method: 'standard' };
const dispute = {
  id: 'du_1QQ1aBL2eD',
  object: 'dispute',
  amount: 4200,
  currency: 'usd',
  payment_intent: 'pi_3QPw8kL2eZ',
  reason: 'fraudulent',
};

const events: Record<string, EventSpec> = {
  'payment_intent.created': spec('payment', 'created', 'A payment was begun', { ...intent, status: 'requires_payment_method' }),
  'payment_intent.requires_action': spec('payment', 'action_required', 'The payer has to act (3D Secure ...)', {
    ...intent,
    status: 'requires_action',
  }),
  'payment_intent.processing': spec('payment', 'pending', 'The payment is processing', { ...intent, status: 'processing' }),
  'payment_intent.amount_capturable_updated': spec('payment', 'authorized', 'Funds are reserved', {
    ...intent,
    status: 'requires_capture',
  }),
  'payment_intent.partially_funded': spec('payment', 'partially_succeeded', 'Some of the money came', intent),
  'payment_intent.succeeded': spec('payment', 'succeeded', 'The payment succeeded', {
    ...intent,
    amount_received: 4200,
    status: 'succeeded',
  }),
  'payment_intent.payment_failed': spec('payment', 'failed', 'An attempt to pay failed', {
    ...intent,
    last_payment_error: { code: 'card_declined', message: 'Your card was declined.' },
  }),
  'payment_intent.canceled': spec('payment', 'canceled', 'The payment was canceled', { ...intent, status: 'canceled' }),
  'refund.created': spec('refund', 'pending', 'A refund was begun', { ...refund, status: 'pending' }),
  'refund.updated': spec('refund', 'succeeded', 'A refund changed; its status says how', { ...refund, status: 'succeeded' }),
  'refund.failed': spec('refund', 'failed', 'A refund failed', { ...refund, status: 'failed', failure_reason: 'expired_or_canceled_card' }),
  'charge.dispute.created': spec('dispute', 'action_required', 'The payer disputes a payment', { ...dispute, status: 'needs_response' }),
  'charge.dispute.closed': spec('dispute', 'succeeded', 'A dispute ended; its status says how', { ...dispute, status: 'lost' }),
  'payout.created': spec('payout', 'pending', 'A payout to your bank was begun', { ...payout, status: 'pending' }),
  'payout.paid': spec('payout', 'succeeded', 'A payout should be in your bank account', { ...payout, status: 'paid' }),
  'payout.failed': spec('payout', 'failed', 'A payout failed', { ...payout, status: 'failed', failure_code: 'account_closed' }),
  'payout.canceled': spec('payout', 'canceled', 'A payout was canceled', { ...payout, status: 'canceled' }),
  // The same refund comes as refund.*: counting both would refund it twice.
  'charge.refunded': {
    kind: null,
    status: null,
    title: 'A charge was refunded (see refund.updated)',
    example: { id: 'ch_3QPw8kL2eB', object: 'charge', amount_refunded: 1200, currency: 'usd' },
  },
};

// Some events say by the object's status what happened.
const REFUND_STATUSES: Readonly<Record<string, Status>> = {
  pending: 'pending',
  requires_action: 'action_required',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
};
const DISPUTE_STATUSES: Readonly<Record<string, Status>> = { lost: 'succeeded', won: 'failed', warning_closed: 'canceled' };
const RAILS: Readonly<Record<string, Rail>> = {
  card: 'card',
  us_bank_account: 'bank_debit',
  sepa_debit: 'bank_debit',
  customer_balance: 'bank_transfer',
};

/** Source: docs.stripe.com/webhooks and stripe-node. Delivery is tried for three days. */
export const stripe = defineProvider({
  id: 'stripe',
  name: 'Stripe',
  about: 'Cards and many other ways to pay, worldwide.',
  sources: ['https://docs.stripe.com/webhooks', 'https://docs.stripe.com/currencies'],
  rails: ['card', 'bank_debit', 'bank_transfer', 'wallet'],
  authenticity: 'signed-body',
  signature: 'hex HMAC-SHA256 of timestamp.body in Stripe-Signature: t=,v1=',
  retry: { delays: ['0s', '5m', '30m', '2h', '5h', '10h', '10h', '12h', '12h', '20h'], timeout: '15s', documented: false },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify: scheme.verify,
  sign: scheme.sign,
  read: (body, context) => [readEvent(body, context)],
  envelope({ id, type, data, occurredAt }) {
    const livemode = !(isJsonObject(data) && data['livemode'] === false);
    const created = new JsonNumber(String(Math.floor(occurredAt / 1000)));
    return utf8(
      stringifyJson(
        jsonObject({
          id,
          object: 'event',
          created,
          data: jsonObject({ object: data }),
          livemode,
          pending_webhooks: new JsonNumber('1'),
          type,
        }),
      ),
    );
  },
  makeSecret: (random) => `whsec_${encode(random, 'hex')}`,
});

function spec(kind: Kind, status: Status, title: string, example: unknown): EventSpec {
  return { kind, status, title, example };
}

function readEvent(body: JsonValue, { digest }: ReadContext): Fact {
  const type = idAt(body, 'type') ?? 'unknown';
  const object = objectAt(objectAt(body, 'data'), 'object');
  const draft = { type, occurredAt: timeAt(body, 'created'), data: object };
  const dedupeKey = idAt(body, 'id') ?? digest;
  const known = Object.hasOwn(events, type) ? events[type] : undefined;
  if (known?.kind == null || known.status === null) return unmapped(draft, dedupeKey, `"${type}" moves no money in the ledger.`);
  const status = statusOf(type, known.status, textAt(object, 'status'));
  const key = idAt(object, 'id');
  if (status === undefined || key === undefined) return unmapped(draft, dedupeKey, 'The object has no id, or a status that is not known.');
  const error = objectAt(object, 'last_payment_error');
  return mapped(
    draft,
    dedupeKey,
    movement({
      kind: known.kind,
      key,
      status,
      rail: railOf(known.kind, object),
      reference: idAt(objectAt(object, 'metadata'), 'order_id', 'reference'),
      providerReference: key,
      refs: [idAt(object, 'charge'), idAt(object, 'latest_charge')],
      amount: amountOf(object, 'amount'),
      amountReceived: status === 'succeeded' && known.kind === 'payment' ? amountOf(object, 'amount_received') : undefined,
      parent:
        known.kind === 'refund' || known.kind === 'dispute'
          ? { kind: 'payment', key: idAt(object, 'payment_intent', 'charge') }
          : undefined,
      customer: { reference: idAt(object, 'customer'), email: textAt(object, 'receipt_email') },
      reason:
        status === 'failed'
          ? { code: textAt(error, 'code') ?? textAt(object, 'failure_code', 'failure_reason', 'reason'), message: textAt(error, 'message') }
          : undefined,
      flags: [memberAt(body, 'livemode') === false && 'test'],
    }),
  );
}

function statusOf(type: string, named: Status, word: string | undefined): Status | undefined {
  if (type === 'charge.dispute.closed') return DISPUTE_STATUSES[word ?? ''];
  return type === 'refund.updated' || type === 'refund.created' ? REFUND_STATUSES[word ?? ''] : named;
}

/** Stripe counts ISK in hundredths and MGA in whole units; about UGX its pages disagree, so that is not read. */
function amountOf(object: JsonObject, member: string): MoneyReading {
  const currency = object['currency'];
  return readMoney({ amount: object[member], currency, unit: currency === 'ugx' ? undefined : 'minor', exponents: { ISK: 2, MGA: 0 } });
}

function railOf(kind: Kind, object: JsonObject): Rail | undefined {
  if (kind === 'payout') return 'bank_transfer';
  const types = object['payment_method_types'];
  const only = Array.isArray(types) && types.length === 1 ? (types[0] as JsonValue) : undefined;
  return typeof only === 'string' && Object.hasOwn(RAILS, only) ? RAILS[only] : undefined;
}
