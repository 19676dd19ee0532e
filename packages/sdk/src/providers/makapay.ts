import { asObject, idAt, timeAt } from '../access.ts';
import { encode, utf8 } from '../bytes.ts';
import { erc20Asset } from '../currency.ts';
import { isJsonObject, JsonNumber, jsonObject, stringifyJson } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { addMoney, readMoney } from '../money.ts';
import type { MoneyReading } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, ReadContext } from '../provider.ts';
import { mapped, moneyOf, movement, unmapped } from '../reading.ts';
import { hmac } from '../schemes/hmac.ts';

const scheme = hmac({ header: 'x-signature', hash: 'sha256', encoding: 'hex' });

const USDC_ON_BASE = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';
const payment = {
  paymentId: 'pay_01JD8Q3M7T',
  orderId: 'ORDER-7781',
  merchant: '0x4b1d9f0c2e6a8b735c0d1e2f3a4b5c6d7e8f9012',
  recipientAddress: '0x91c3a7e5d2b4f6081a3c5e7092b4d6f8a0c2e4f6',
  amount: '25.50',
  token: USDC_ON_BASE,
  chainId: 8453,
  description: 'Two seats, Lagos to Accra',
};
const hash = '0x5e1d3c7b9a8f6e4d2c0b1a3f5e7d9c8b6a4f2e0d1c3b5a7f9e8d6c4b2a0f1e3d';

const events: Record<string, EventSpec> = {
  'payment.completed': {
    kind: 'payment',
    status: 'succeeded',
    title: 'A payment is settled to your wallet',
    example: {
      ...payment,
      status: 'completed',
      transactionHash: hash,
      blockConfirmations: 12,
      feeDetails: { feePercent: '0.5', feeAmount: '0.1275', netAmount: '25.3725' },
    },
  },
  'payment.withdrawn': {
    kind: 'payment',
    status: 'partially_succeeded',
    title: 'A partial payment is manually withdrawn',
    example: { ...payment, status: 'withdrawn', amountWithdrawn: '10.25', withdrawalTransactionHash: hash.replace('5e1d', '7a2c') },
  },
  'payment.awaiting_gas': {
    kind: 'payment',
    status: 'on_hold',
    title: 'A payment came, but the Gas Tank is too low to settle it',
    example: { ...payment, status: 'awaiting_gas' },
    retry: false,
  },
};

/** Source: docs.makapay.io/developers/webhooks. That the signature is a hex HMAC-SHA256 is implied there, not printed. */
export const makapay = defineProvider({
  id: 'makapay',
  name: 'MakaPay',
  about: 'Crypto payments on EVM chains, settled to your own wallet. The secret is the API key.',
  sources: ['https://docs.makapay.io/developers/webhooks'],
  rails: ['crypto'],
  authenticity: 'signed-body',
  signature: 'hex HMAC-SHA256 of the raw body in X-Signature; the key is the API key',
  retry: { delays: ['0s', '5m', '10m'], timeout: '30s', documented: true },
  ack: { status: 200, contentType: 'application/json', body: '{"received":true}' },
  events,

  verify: scheme.verify,
  sign: scheme.sign,
  read: (body, context) => [readEvent(asObject(body), context)],
  envelope({ type, data, occurredAt }) {
    const { event: _named, ...fields } = isJsonObject(data) ? data : { data };
    const timestamp = fields['timestamp'] ?? new JsonNumber(String(occurredAt));
    return utf8(stringifyJson(jsonObject({ event: type, ...fields, timestamp })));
  },
  makeSecret: (random) => `mk_${encode(random, 'hex')}`,
});

function readEvent(body: JsonObject, { digest }: ReadContext): Fact {
  const type = idAt(body, 'event') ?? 'unknown';
  const draft = { type, occurredAt: timeAt(body, 'timestamp'), data: body };
  const spec = Object.hasOwn(events, type) ? events[type] : undefined;
  if (spec?.kind == null || spec.status === null) return unmapped(draft, digest, `MakaPay does not document the event "${type}".`);
  const key = idAt(body, 'paymentId');
  if (key === undefined) return unmapped(draft, digest, 'It has no paymentId.');
  const withdrawal = idAt(body, 'withdrawalTransactionHash');
  const asset = erc20Asset(idAt(body, 'chainId'), idAt(body, 'token')) ?? undefined;
  const read = (member: string): MoneyReading => readMoney({ amount: body[member], currency: asset, unit: 'major' });
  const amount = read('amount');
  const over = read('overpayment');
  return mapped(
    draft,
    // One payment can be withdrawn in several parts.
    type === 'payment.withdrawn' && withdrawal !== undefined ? `${type}:${key}:${withdrawal}` : `${type}:${key}`,
    movement({
      kind: spec.kind,
      key,
      status: spec.status,
      substate: type === 'payment.awaiting_gas' ? 'awaiting_gas' : type === 'payment.withdrawn' ? 'withdrawn' : undefined,
      rail: 'crypto',
      reference: idAt(body, 'orderId'),
      providerReference: key,
      refs: [idAt(body, 'transactionHash'), withdrawal, idAt(body, 'recipientAddress')],
      amount,
      amountReceived: type === 'payment.withdrawn' ? read('amountWithdrawn') : received(amount, over),
      reason:
        type === 'payment.awaiting_gas' ? { code: 'awaiting_gas', message: 'The Gas Tank is too low to settle the payment.' } : undefined,
      flags: [isOverpaid(over) && 'overpaid', type === 'payment.withdrawn' && 'underpaid'],
    }),
  );
}

function isOverpaid(over: MoneyReading): boolean {
  return /[1-9]/.test(moneyOf(over)?.value ?? '');
}

/** What came in all: the amount and what was paid beyond it. An overpayment that cannot be read spoils the sum, not the amount. */
function received(amount: MoneyReading, over: MoneyReading): MoneyReading | undefined {
  const [asked, more] = [moneyOf(amount), moneyOf(over)];
  if (asked === undefined) return undefined;
  if (more === undefined) return 'refused' in over && over.refused !== 'missing' ? over : undefined;
  return { money: addMoney(asked, more) };
}
