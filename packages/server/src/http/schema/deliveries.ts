import Type from 'typebox';
import type { Static } from 'typebox';
import { BodyText, Closed, Encoding, HeaderMap, Id, JsonMap, ListOf, Nullable, PageInput, Time, Words } from './common.ts';

export const DELIVERY_STATUSES = ['pending', 'succeeded', 'failed'] as const;
export const DeliveryStatus = Words(DELIVERY_STATUSES);

export const DeliveryRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    event: Id,
    eventType: Type.String(),
    endpoint: Id,
    transaction: Nullable(Id),
    format: Type.String({ description: '`provider:ID`, `request` or `transaction`.' }),
    status: DeliveryStatus,
    attemptCount: Type.Integer(),
    statusCode: Nullable(Type.Integer({ description: 'Of the last attempt.' })),
    cause: Nullable(Type.String({ description: 'Why the last attempt ended as it did.' })),
    nextAttemptAt: Nullable(Time),
    createdAt: Time,
    finishedAt: Nullable(Time),
  },
  { description: 'One event on its way to one endpoint.' },
);
export type DeliveryRow = Static<typeof DeliveryRow>;

export const Attempt = Type.Object(
  {
    n: Type.Integer(),
    startedAt: Time,
    durationMs: Nullable(Type.Number()),
    outcome: Words(['succeeded', 'failed', 'unknown']),
    cause: Type.String(),
    statusCode: Nullable(Type.Integer()),
    timings: Nullable(JsonMap),
    request: Type.Object({ headers: HeaderMap, body: Nullable(BodyText), encoding: Encoding }),
    response: Nullable(Type.Object({ headers: HeaderMap, body: BodyText, encoding: Encoding, truncated: Type.Boolean() })),
    expiredAt: Nullable(Time),
  },
  { description: 'One HTTP call.' },
);
export type Attempt = Static<typeof Attempt>;

export const DeliveryDetail = Type.Object({ ...DeliveryRow.properties, expiredAt: Nullable(Time), attempts: Type.Array(Attempt) });
export type DeliveryDetail = Static<typeof DeliveryDetail>;
export const DeliveryList = ListOf(DeliveryRow);
export type DeliveryList = Static<typeof DeliveryList>;

export const DeliveryQuery = Closed({
  ...PageInput,
  status: Type.Optional(DeliveryStatus),
  endpoint: Type.Optional(Id),
  event: Type.Optional(Id),
  transaction: Type.Optional(Id),
});
