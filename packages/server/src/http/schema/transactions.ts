import { KINDS, RAILS, STATUSES } from '@paybell/sdk';
import Type from 'typebox';
import type { Static } from 'typebox';
import { Closed, Id, ListOf, Money, Nullable, PageInput, Time, TimeInput, Words } from './common.ts';
import { DeliveryRow } from './deliveries.ts';

export const TransactionRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    provider: Type.String(),
    kind: Words(KINDS),
    status: Words(STATUSES),
    substate: Nullable(Type.String()),
    rail: Nullable(Words(RAILS)),
    reference: Nullable(Type.String({ description: "The merchant's." })),
    providerReference: Nullable(Type.String()),
    refs: Type.Array(Type.String()),
    amount: Nullable(Money),
    amountReceived: Nullable(Money),
    amountRefunded: Nullable(Money),
    refundState: Words(['none', 'partial', 'full']),
    disputeState: Words(['none', 'open', 'won', 'lost']),
    parent: Nullable(Id),
    customer: Nullable(
      Type.Object({
        reference: Type.Optional(Type.String()),
        name: Type.Optional(Type.String()),
        email: Type.Optional(Type.String()),
        phone: Type.Optional(Type.String()),
      }),
    ),
    reason: Nullable(Type.Object({ code: Type.String(), message: Type.Optional(Type.String()) })),
    flags: Type.Array(Type.String()),
    occurredAt: Time,
    updatedAt: Time,
    version: Type.Integer(),
  },
  { description: 'One payment, refund, payout ... as the fold of its events.' },
);
export type TransactionRow = Static<typeof TransactionRow>;

export const TimelineEntry = Type.Object({
  at: Time,
  event: Id,
  type: Type.String(),
  verdict: Words(['applied', 'stale', 'duplicate', 'conflict', 'late']),
  rule: Type.String(),
  from: Nullable(Words(STATUSES)),
  to: Words(STATUSES),
  why: Type.String({ description: 'The rule as a sentence.' }),
});
export type TimelineEntry = Static<typeof TimelineEntry>;

export const TransactionDetail = Type.Object({
  ...TransactionRow.properties,
  timeline: Type.Array(TimelineEntry),
  deliveries: Type.Array(DeliveryRow),
  children: Type.Array(TransactionRow),
});
export type TransactionDetail = Static<typeof TransactionDetail>;

export const TransactionList = ListOf(TransactionRow);
export type TransactionList = Static<typeof TransactionList>;

export const TransactionQuery = Closed({
  ...PageInput,
  status: Type.Optional(Words(STATUSES)),
  kind: Type.Optional(Words(KINDS)),
  provider: Type.Optional(Type.String({ maxLength: 64 })),
  rail: Type.Optional(Words(RAILS)),
  currency: Type.Optional(Type.String({ maxLength: 200 })),
  from: Type.Optional(TimeInput),
  to: Type.Optional(TimeInput),
  q: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Any reference, whole or its beginning.' })),
});
