import Type from 'typebox';
import type { Static } from 'typebox';
import { Closed, Id, ListOf, Merchant, Nullable, PageInput, Time, TimeInput, Words } from './common.ts';

const Types = Type.Array(Type.String({ maxLength: 128 }), {
  minItems: 1,
  maxItems: 100,
  description: 'Event types with wildcards, such as `payment.*`; absent: all.',
});
const STANDINGS = ['pending', 'succeeded', 'failed', 'missing'] as const;
const Standing = Words(STANDINGS);
const PerSecond = Type.Integer({ minimum: 1, maximum: 10_000, description: 'Deliveries made in a second at most; 200 unless told.' });

export const ResendRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    state: Words(
      ['running', 'done', 'canceled', 'failed'],
      '`done`: all deliveries are made; those that are `pending` are still on their way.',
    ),
    note: Nullable(Type.String({ description: 'Why it failed.' })),
    since: Time,
    until: Time,
    endpoint: Nullable(Id),
    status: Nullable(Standing),
    types: Nullable(Type.Array(Type.String())),
    source: Nullable(Id),
    transaction: Nullable(Id),
    perSecond: Type.Integer(),
    events: Type.Integer({ description: 'Counted before it began.' }),
    deliveries: Type.Integer({ description: 'Counted before it began.' }),
    made: Type.Integer({ description: 'Deliveries made so far: `succeeded`, `failed` and `pending` add up to it.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    pending: Type.Integer(),
    createdAt: Time,
    finishedAt: Nullable(Time),
  },
  { description: 'Many events sent again, in bulk.' },
);
export type ResendRow = Static<typeof ResendRow>;
export const ResendList = ListOf(ResendRow);
export type ResendList = Static<typeof ResendList>;
export const ResendQuery = Closed(PageInput);

export const ResendManyInput = Closed({
  since: TimeInput,
  until: Type.Optional(TimeInput),
  endpoint: Type.Optional(Id),
  status: Type.Optional(
    Words(
      STANDINGS,
      'Events that stand so with an endpoint: succeeded if any delivery was, else pending if any is, else failed; missing: `endpoint` has no delivery of it, because it was not active or is new. Absent: all that an endpoint selects.',
    ),
  ),
  types: Type.Optional(Types),
  source: Type.Optional(Id),
  transaction: Type.Optional(Id),
  perSecond: Type.Optional(PerSecond),
  dryRun: Type.Optional(Type.Boolean({ description: 'Only count.' })),
  merchant: Merchant,
});
export const ResentMany = Type.Object({
  events: Type.Integer(),
  deliveries: Type.Integer(),
  dryRun: Type.Boolean(),
  resend: Nullable(
    Type.Object({ ...ResendRow.properties }, { description: 'What does it; null for a dry run, and where there is nothing to send.' }),
  ),
});
export type ResentMany = Static<typeof ResentMany>;
