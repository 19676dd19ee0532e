import { asObject, idAt, memberAt, objectAt, phoneAt, textAt, timeAt, timeText } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { oneHeader } from '../headers.ts';
import { JsonNumber, jsonObject, stringifyJson } from '../json.ts';
import type { JsonValue } from '../json.ts';
import type { Kind, Status } from '../ledger/transaction.ts';
import { readMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext, Verdict, VerifyInput } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { verifyFields } from '../schemes/fields.ts';
import { hmac, verifyHmac } from '../schemes/hmac.ts';
import type { HmacForm } from '../schemes/hmac.ts';
import { refuse } from '../schemes/secret.ts';
import { judgeTimestamp } from '../schemes/timestamp.ts';

const form: HmacForm = { header: 'x-malipopay-signature', hash: 'sha256', encoding: 'hex', optionalPrefix: 'sha256=' };
const scheme = hmac(form);
const TIME = 'x-malipopay-timestamp';

const sale = {
  reference: 'MLP-20261122-0417',
  amount: 45000,
  currency: 'TZS',
  phone: '255712345678',
  provider: 'M-Pesa',
  metadata: { order: 'DUKA-118' },
};
const payout = {
  reference: 'MLP-DSB-0093',
  amount: 150000,
  currency: 'TZS',
  phone: '255765432109',
  provider: 'Airtel Money',
  metadata: { payee: 'Juma Mwakyusa' },
};
const settled = { reference: 'MLP-STL-1121', amount: 2350000, currency: 'TZS', provider: 'CRDB Bank' };
const invoice = { reference: 'INV-2026-0088', amount: 120000, currency: 'TZS', phone: '255754111222', provider: 'Tigo Pesa' };

const events: Record<string, EventSpec> = {
  'transaction.completed': spec('payment', 'succeeded', 'Payment was successful', { ...sale, status: 'COMPLETED' }),
  'transaction.failed': spec('payment', 'failed', 'Customer declined or timed out', {
    ...sale,
    status: 'FAILED',
    failureReason: 'Customer declined',
  }),
  'transaction.pending': spec('payment', 'pending', 'Awaiting customer confirmation', { ...sale, status: 'PENDING' }),
  'disbursement.completed': spec('payout', 'succeeded', 'Outbound payout was successful', { ...payout, status: 'COMPLETED' }),
  'disbursement.failed': spec('payout', 'failed', 'Outbound payout failed', {
    ...payout,
    status: 'FAILED',
    failureReason: 'Number not registered',
  }),
  'settlement.completed': spec('settlement', 'succeeded', 'Funds settled to your bank account', { ...settled, status: 'COMPLETED' }),
  'payment.completed': spec('payment', 'succeeded', 'Payment was successful (SDK name)', { ...sale, status: 'COMPLETED' }),
  'payment.failed': spec('payment', 'failed', 'Payment failed (SDK name)', { ...sale, status: 'FAILED' }),
  'payment.pending': spec('payment', 'pending', 'Payment is pending (SDK name)', { ...sale, status: 'PENDING' }),
  'payment.confirmed': spec('payment', 'succeeded', 'Payment was confirmed', {
    ...sale,
    transactionId: 'TXN8841207',
    status: 'SUCCESSFUL',
  }),
  'payment.refunded': spec('refund', 'succeeded', 'Payment was refunded', { ...sale, transactionId: 'TXN8841207', status: 'REFUNDED' }),
  'invoice.paid': spec('payment', 'succeeded', 'Invoice was paid', { ...invoice, status: 'PAID' }),
  'invoice.partially_paid': spec('payment', 'partially_succeeded', 'Invoice was paid in part', { ...invoice, status: 'PARTIAL' }),
  'invoice.overdue': spec('payment', 'action_required', 'Invoice is overdue', { ...invoice, status: 'OVERDUE' }),
};

/** The older form names no event: its status says all. */
const STATUSES: Readonly<Record<string, Status>> = {
  success: 'succeeded',
  successful: 'succeeded',
  completed: 'succeeded',
  paid: 'succeeded',
  partial: 'partially_succeeded',
  pending: 'pending',
  failed: 'failed',
  rejected: 'failed',
  cancelled: 'canceled',
};

/** Sources: developers.malipopay.co.tz, the official SDKs of 2026-04, and MALIPOPAY's article on webhooks. They differ; all forms are read. */
export const malipopay = defineProvider({
  id: 'malipopay',
  name: 'MALIPOPAY',
  about: 'Mobile money, card and bank payments in Tanzania.',
  sources: ['https://developers.malipopay.co.tz/integration/webhooks', 'https://github.com/Malipopay'],
  rails: ['mobile_money', 'card', 'bank_transfer'],
  authenticity: 'signed-body',
  signature:
    'hex HMAC-SHA256 of the raw body in X-Malipopay-Signature, with or without "sha256="; of timestamp.body where X-Malipopay-Timestamp is sent',
  // Documented: up to 5 attempts over 24 hours, exponential. These waits are one way to keep it.
  retry: { delays: ['0s', '5m', '30m', '4h', '19h'], timeout: '5s', documented: true },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify,
  sign: scheme.sign,
  read: (body, context) => [readEvent(body, context)],
  envelope: ({ type, data, occurredAt }) => utf8(stringifyJson(jsonObject({ event: type, timestamp: timeText(occurredAt), data }))),
  checkOptions(options) {
    const unknown = Object.keys(options).find((key) => key !== 'legacyBodySignature');
    if (unknown !== undefined) return `MALIPOPAY has no option "${unknown}"; it has "legacyBodySignature".`;
    return ['boolean', 'undefined'].includes(typeof options['legacyBodySignature']) ? null : '"legacyBodySignature" is true or false.';
  },
  makeSecret: (random) => `whsec_${encode(random, 'hex')}`,
});

function spec(kind: Kind, status: Status, title: string, example: unknown): EventSpec {
  return { kind, status, title, example };
}

function verify(input: VerifyInput): Verdict {
  if (input.options?.['legacyBodySignature'] === true && oneHeader(input.headers, form.header).found === 'none') {
    return verifyFields({ signature: 'payloadSignature', text: legacyText }, input);
  }
  const time = oneHeader(input.headers, TIME);
  if (time.found === 'none') return scheme.verify(input);
  if (time.found === 'several') return refuse('timestamp_malformed', `The header ${TIME} came more than once.`);
  const verdict = judgeTimestamp(time.value, input.now);
  return verdict ?? verifyHmac(form, input, [`${time.value}.`, input.body]);
}

/** The older form: neither the status nor the customer's name is vouched for. */
function legacyText(body: JsonValue): string | null {
  const parts = [
    memberAt(body, 'timestamp'),
    memberAt(body, 'amount'),
    memberAt(objectAt(body, 'customer'), 'phoneNumber') ?? memberAt(body, 'phoneNumber'),
  ];
  const texts = [memberAt(body, 'reference'), ...parts].map((part) => (part instanceof JsonNumber ? part.text : part));
  return texts.every((text) => typeof text === 'string') ? texts.join('') : null;
}

function readEvent(body: JsonValue, { digest }: ReadContext): Fact {
  // The two older forms have no envelope.
  const data = memberAt(body, 'data') === undefined ? asObject(body) : objectAt(body, 'data');
  const word = textAt(data, 'status')?.toLowerCase() ?? '';
  const named = idAt(body, 'event', 'type');
  const type = idAt(body, 'event') ?? (named === 'CHARGE' ? `charge.${word || 'unknown'}` : (named ?? 'unknown'));
  const draft = { type, occurredAt: timeAt(body, 'timestamp') ?? timeAt(data, 'timestamp'), data };
  const meaning = meaningOf(type, word);
  if (meaning === null) return unmapped(draft, digest, `MALIPOPAY does not document the event "${type}".`);
  const key = idAt(data, 'reference', 'transactionId', 'transaction_id');
  if (key === undefined) return unmapped(draft, digest, 'It has neither a reference nor a transactionId.');
  const { kind, status } = meaning;
  const customer = objectAt(data, 'customer');
  const amount = readMoney({ amount: data['amount'], currency: data['currency'] ?? 'TZS', unit: 'major' });
  const name = [textAt(customer, 'firstname'), textAt(customer, 'lastname')].filter((part) => part !== undefined).join(' ');
  return mapped(
    draft,
    `${type}:${key}`,
    movement({
      kind,
      key,
      status,
      substate: type === 'invoice.overdue' ? 'overdue' : undefined,
      rail:
        kind === 'settlement'
          ? 'bank_transfer'
          : phoneAt(data, 'phone') !== undefined || phoneAt(customer, 'phoneNumber') !== undefined
            ? 'mobile_money'
            : undefined,
      reference: idAt(data, 'customerReference', 'reference'),
      providerReference: idAt(data, 'transactionId', 'transaction_id', 'reference'),
      amount,
      parent: kind === 'refund' ? { kind: 'payment', key } : undefined,
      customer: {
        name: name === '' ? textAt(customer, 'name') : name,
        phone: phoneAt(data, 'phone', 'phoneNumber') ?? phoneAt(customer, 'phoneNumber', 'phone'),
      },
      reason:
        status === 'failed' || status === 'canceled' ? { code: word || type, message: textAt(data, 'failureReason', 'reason') } : undefined,
    }),
  );
}

function meaningOf(type: string, word: string): { readonly kind: Kind; readonly status: Status } | null {
  const known = Object.hasOwn(events, type) ? events[type] : undefined;
  if (known?.kind != null && known.status !== null) {
    // A confirmed payment may have been paid in part.
    return known.status === 'succeeded' && word === 'partial'
      ? { kind: known.kind, status: 'partially_succeeded' }
      : { kind: known.kind, status: known.status };
  }
  const status = type.startsWith('charge.') && Object.hasOwn(STATUSES, word) ? STATUSES[word] : undefined;
  return status === undefined ? null : { kind: 'payment', status };
}
