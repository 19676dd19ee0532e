import Type from 'typebox';
import type { Static } from 'typebox';
import { AnyJson, Closed, Id, JsonMap, ListOf, Merchant, Nullable, PageInput, Time, TimeInput, Words } from './common.ts';
import { DeliveryStatus } from './deliveries.ts';

const State = Words(['recorded', 'unmapped', 'fold_failed']);

export const EventRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    provider: Type.String(),
    source: Nullable(Id),
    request: Nullable(Id),
    type: Type.String(),
    transaction: Nullable(Id),
    occurredAt: Nullable(Time),
    recordedAt: Time,
    state: State,
    note: Nullable(Type.String({ description: 'Why it is `unmapped` or `fold_failed`.' })),
    duplicates: Type.Integer(),
    variants: Type.Integer({ description: 'Other bytes that came under the same key.' }),
    expiredAt: Nullable(Time),
    data: AnyJson,
  },
  { description: 'One fact, recorded once.' },
);
export type EventRow = Static<typeof EventRow>;
export const EventList = ListOf(EventRow);
export type EventList = Static<typeof EventList>;

export const EventQuery = Closed({
  ...PageInput,
  type: Type.Optional(Type.String({ maxLength: 200 })),
  source: Type.Optional(Id),
  transaction: Type.Optional(Id),
  state: Type.Optional(State),
  since: Type.Optional(TimeInput),
  until: Type.Optional(TimeInput),
  endpoint: Type.Optional(Id),
  status: Type.Optional(DeliveryStatus),
});

const publish = {
  type: Type.String({ minLength: 1, maxLength: 200 }),
  data: JsonMap,
  url: Type.Optional(Type.String({ maxLength: 2_048, description: 'Deliver this one also there.' })),
  occurredAt: Type.Optional(Time),
  provider: Type.Optional(
    Type.String({ maxLength: 64, description: 'Whose vocabulary `type` and `data` are in, for the ledger; `paybell` unless told.' }),
  ),
};
export const PublishInput = Closed({ ...publish, merchant: Merchant });
export const BatchInput = Closed({
  events: Type.Array(Closed({ ...publish, idempotencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }), {
    minItems: 1,
    maxItems: 1_000,
  }),
  merchant: Merchant,
});
/** The names that a published event may have, for the check by hand. */
export const PUBLISH_FIELDS = Object.keys(PublishInput.properties);
export const BATCH_FIELDS = Object.keys(BatchInput.properties);
export const BATCH_ITEM_FIELDS = [...Object.keys(publish), 'idempotencyKey'];

export const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'The same key with the same body is one event; with another body it is refused.',
    }),
  ),
});
export const Published = Type.Object({ id: Id, deliveries: Type.Integer(), duplicate: Type.Boolean() });
export type Published = Static<typeof Published>;
export const BatchPublished = Type.Object({ data: Type.Array(Published, { description: 'In the order of `events`.' }) });

export const ResendInput = Closed({ endpoint: Type.Optional(Id) });
export const Resent = Type.Object({ deliveries: Type.Array(Id) });
