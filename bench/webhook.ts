import { createHmac } from 'node:crypto';

/** Marks the references of one run; six characters. */
export type Tag = string;

/** A fresh tag: the references of two runs never meet. */
export function makeTag(): Tag {
  return Math.floor(Math.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
}

const DIGITS = 8;

export const orderPrefix = (tag: Tag): string => `ORDER-${tag}-`;
export const transactionPrefix = (tag: Tag): string => `txn_${tag}`;
const sequence = (n: number): string => String(n).padStart(DIGITS, '0');

/** The sequence number that stands at `offset`, or -1. */
export function sequenceAt(bytes: Uint8Array, offset: number): number {
  let n = 0;
  for (let at = offset; at < offset + DIGITS; at += 1) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}

/** The data of one payment, as JSON text. */
export function eventData(tag: Tag, n: number): string {
  const order = orderPrefix(tag) + sequence(n);
  return (
    `{"orderId":"${order}","transactionId":"${transactionPrefix(tag)}${sequence(n)}","amount":${1000 + (n % 9000)},"currency":"KES",` +
    `"status":"completed","method":"mpesa","metadata":{"customerId":"cus_${sequence(n)}","invoice":"INV-2026-${sequence(n)}",` +
    `"channel":"stk_push","store":"Nairobi, Moi Avenue 12"}}`
  );
}

/** A SerixPay `payment.completed` of about 350 bytes. Every `n` gives the same length. */
export function webhookBody(tag: Tag, n: number, timestamp: string): string {
  return `{"event":"payment.completed","timestamp":"${timestamp}","data":${eventData(tag, n)}}`;
}

/** The same payment as an event to publish; for `merchants` merchants in turn where their number is given. */
export function eventBody(tag: Tag, n: number, merchants?: number): string {
  const merchant = merchants === undefined ? '' : `,"merchant":"${merchantId(n % merchants)}"`;
  return `{"type":"payment.completed","data":${eventData(tag, n)}${merchant}}`;
}

export const merchantId = (n: number): string => `mer_${String(n).padStart(4, '0')}`;

export function batchBody(tag: Tag, first: number, size: number): string {
  const events = Array.from({ length: size }, (_, index) => eventBody(tag, first + index));
  return `{"events":[${events.join(',')}]}`;
}

/** Seconds of UTC, as SerixPay writes them. */
export function timestampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function signatureOf(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}
