import { asObject, idAt, listAt, memberAt, objectAt, textAt, timeAt, timeText } from '../access.ts';
import { encode, fromHex, utf8 } from '../bytes.ts';
import { isJsonObject, JsonNumber, jsonObject, parseJson, stringifyJson } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Kind, Status } from '../ledger/transaction.ts';
import { readMoney } from '../money.ts';
import { defineProvider } from '../provider.ts';
import type { EventSpec, Fact, Signed, SignInput } from '../provider.ts';
import { mapped, movement, unmapped } from '../reading.ts';
import { signText, verifyEachItem } from '../schemes/each-item.ts';
import type { SignedItem } from '../schemes/each-item.ts';
import { currentSecret } from '../schemes/secret.ts';

const payment = {
  pspReference: 'NC6HT9CRT65ZGN82',
  merchantAccountCode: 'DukaOnlineECOM',
  merchantReference: 'ORD-60417',
  amount: { value: 1130, currency: 'EUR' },
  paymentMethod: 'visa',
  success: 'true',
  reason: '033899:1111:03/2030',
};
const later = { ...payment, pspReference: 'QFQTPCQ8HXSKGK82', originalReference: 'NC6HT9CRT65ZGN82', reason: '' };
const payout = {
  ...payment,
  pspReference: 'TVHR3B29KXVLBG82',
  merchantReference: 'PAYEE-0312',
  paymentMethod: 'sepadirectdebit',
  reason: '',
};

interface Meaning extends EventSpec {
  /** What it means where `success` is "false"; null: that request of yours failed, the transaction is what it was. */
  readonly otherwise: Status | null;
}

const events: Record<string, Meaning> = {
  AUTHORISATION: spec('payment', 'authorized', 'failed', 'A payment was authorised, or refused', payment),
  CAPTURE: spec('payment', 'succeeded', null, 'A payment was captured', later),
  CAPTURE_FAILED: spec('payment', 'reversed', null, 'A capture was rejected by the scheme after all', later),
  CANCELLATION: spec('payment', 'canceled', null, 'An authorisation was cancelled', later),
  TECHNICAL_CANCEL: spec('payment', 'canceled', null, 'An authorisation was cancelled by your reference', later),
  REFUND: spec('refund', 'succeeded', 'failed', 'A refund was accepted, or refused', later),
  REFUND_FAILED: spec('refund', 'reversed', null, 'An accepted refund failed after all', later),
  REFUNDED_REVERSED: spec('refund', 'reversed', null, 'The funds of a refund came back', later),
  NOTIFICATION_OF_CHARGEBACK: spec('dispute', 'action_required', null, 'A chargeback is on its way: defend it', later),
  CHARGEBACK: spec('dispute', 'succeeded', null, 'A chargeback was booked', later),
  CHARGEBACK_REVERSED: spec('dispute', 'reversed', null, 'A chargeback was won back', later),
  SECOND_CHARGEBACK: spec('dispute', 'succeeded', null, 'The issuer declined the defence', later),
  PAYOUT_THIRDPARTY: spec('payout', 'succeeded', 'failed', 'A payout was processed, or failed', payout),
  PAYOUT_DECLINE: spec('payout', 'canceled', null, 'A payout was declined in review', { ...payout, originalReference: 'TVHR3B29KXVLBG80' }),
  PAYOUT_EXPIRE: spec('payout', 'expired', null, 'A payout waited too long for review', {
    ...payout,
    originalReference: 'TVHR3B29KXVLBG80',
  }),
  PAIDOUT_REVERSED: spec('payout', 'reversed', null, 'A payout was returned by the bank', {
    ...payout,
    originalReference: 'TVHR3B29KXVLBG82',
  }),
  REPORT_AVAILABLE: {
    kind: null,
    status: null,
    otherwise: null,
    title: 'A report can be downloaded',
    example: {
      ...payment,
      amount: { value: 0, currency: 'EUR' },
      merchantReference: '',
      reason: 'https://reports.example.com/settlement.csv',
    },
  },
};

// Adyen counts these otherwise than ISO 4217.
const EXPONENTS = { CLP: 2, CVE: 0, ISK: 2 };

/** Sources: docs.adyen.com, standard webhooks, and the official Node library. The signature covers eight fields of each item. */
export const adyen = defineProvider({
  id: 'adyen',
  name: 'Adyen',
  about: 'Cards and local payment methods, worldwide: standard notifications.',
  sources: [
    'https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures',
    'https://docs.adyen.com/development-resources/currency-codes/',
  ],
  rails: ['card', 'bank_transfer', 'wallet'],
  authenticity: 'signed-fields',
  signature: 'base64 HMAC-SHA256 of eight fields of every item in its additionalData.hmacSignature; the key is hex',
  retry: {
    // Then every eight hours, for 30 days in all.
    delays: ['0s', '9s', '18s', '27s', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', ...Array.from({ length: 88 }, () => '8h')],
    timeout: '10s',
    documented: true,
  },
  ack: { status: 200, contentType: 'text/plain', body: '[accepted]' },
  events,

  verify: (input) => verifyEachItem(signedItems, input),
  sign,
  read: (body, context) => itemsOf(body).map((item, index) => readItem(item, memberAt(body, 'live'), `${context.digest}:${index}`)),
  envelope({ type, data, occurredAt }) {
    const fields = isJsonObject(data) ? data : { data };
    const item = jsonObject({ ...fields, eventCode: type, eventDate: fields['eventDate'] ?? timeText(occurredAt) });
    return utf8(stringifyJson(jsonObject({ live: 'true', notificationItems: [jsonObject({ NotificationRequestItem: item })] })));
  },
  checkSecret: (secret) => (fromHex(secret) === null ? 'The HMAC key is hex, as the Customer Area shows it.' : null),
  makeSecret: (random) => encode(random, 'hex').toUpperCase(),
});

function spec(kind: Kind, status: Status, otherwise: Status | null, title: string, example: unknown): Meaning {
  return { kind, status, otherwise, title, example };
}

function itemsOf(body: JsonValue): readonly JsonObject[] {
  return listAt(body, 'notificationItems').map((wrapper) => objectAt(wrapper, 'NotificationRequestItem'));
}

function signedItems(body: JsonValue): readonly SignedItem[] {
  return itemsOf(body).map((item) => ({ signature: objectAt(item, 'additionalData')['hmacSignature'], text: signedText(item) }));
}

/** The eight fields with ":" between them; what is absent is empty, nothing is escaped. */
function signedText(item: JsonObject): string | null {
  const amount = objectAt(item, 'amount');
  const members = [item['pspReference'], item['originalReference'] ?? '', item['merchantAccountCode'], item['merchantReference'] ?? ''];
  const texts = [...members, amount['value'], amount['currency'], item['eventCode'], item['success']].map((value) =>
    value instanceof JsonNumber ? value.text : value,
  );
  return texts.every((text) => typeof text === 'string' || typeof text === 'boolean') ? texts.join(':') : null;
}

function sign({ body, secrets }: SignInput): Signed {
  const key = fromHex(currentSecret(secrets));
  if (key === null) throw new Error('The HMAC key is hex, as the Customer Area shows it.');
  const root = asObject(parseJson(body));
  const notificationItems = itemsOf(root).map((item) => {
    const text = signedText(item);
    if (text === null)
      throw new Error('An Adyen item needs pspReference, merchantAccountCode, amount {value, currency}, eventCode and success.');
    const additionalData = jsonObject({ ...objectAt(item, 'additionalData'), hmacSignature: encode(signText(key, text), 'base64') });
    return jsonObject({ NotificationRequestItem: jsonObject({ ...item, additionalData }) });
  });
  return { headers: {}, body: utf8(stringifyJson(jsonObject({ ...root, notificationItems }))) };
}

function readItem(item: JsonObject, live: JsonValue | undefined, digest: string): Fact {
  const type = idAt(item, 'eventCode') ?? 'unknown';
  const draft = { type, occurredAt: timeAt(item, 'eventDate'), data: item };
  const own = idAt(item, 'pspReference');
  const success = item['success'] === true ? 'true' : item['success'] === false ? 'false' : (idAt(item, 'success') ?? 'unknown');
  if (own === undefined) return unmapped(draft, digest, 'The item has no pspReference.');
  const dedupeKey = `${type}:${own}:${success}`;
  const known = Object.hasOwn(events, type) ? events[type] : undefined;
  const status = success === 'true' ? known?.status : success === 'false' ? known?.otherwise : undefined;
  if (known?.kind == null || status == null)
    return unmapped(draft, dedupeKey, `"${type}" with success "${success}" moves no money in the ledger.`);
  const original = idAt(item, 'originalReference');
  const isChild = known.kind === 'refund' || known.kind === 'dispute';
  const amount = objectAt(item, 'amount');
  const currency = amount['currency'];
  // How Adyen counts IDR could not be confirmed, so that is not read.
  const money = readMoney({ amount: amount['value'], currency, unit: currency === 'IDR' ? undefined : 'minor', exponents: EXPONENTS });
  return mapped(
    draft,
    dedupeKey,
    movement({
      kind: known.kind,
      key: isChild ? own : (original ?? own),
      status,
      reference: idAt(item, 'merchantReference'),
      providerReference: isChild ? own : (original ?? own),
      refs: [own],
      // A capture may be of a part: what was asked stays what the authorisation says.
      ...(type === 'CAPTURE' ? { amountReceived: money } : { amount: money }),
      parent: isChild ? { kind: 'payment', key: original } : undefined,
      reason: status === 'failed' ? { code: textAt(item, 'reason') ?? 'refused' } : undefined,
      flags: [(live === 'false' || live === false) && 'test'],
    }),
  );
}
