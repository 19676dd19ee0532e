import Type from 'typebox';
import type { Static } from 'typebox';
import { Closed, Duration, Merchant, Nullable, Time } from './common.ts';

export const MoneyCount = Type.Object({
  currency: Type.String(),
  exponent: Type.Integer(),
  kind: Type.String(),
  status: Type.String(),
  provider: Type.String(),
  rail: Nullable(Type.String()),
  count: Type.Integer(),
  value: Type.String({ description: 'Base units.' }),
});
export type MoneyCount = Static<typeof MoneyCount>;

export const Stats = Type.Object({
  window: Type.String(),
  bucket: Type.String(),
  from: Time,
  to: Time,
  money: Type.Array(MoneyCount, { description: 'Transactions that entered a status within the window.' }),
  pending: Type.Array(MoneyCount, { description: 'Where those stand now that are not at an end.' }),
  standing: Type.Array(MoneyCount, { description: 'Where all transactions stand now.' }),
  series: Type.Array(
    Type.Object({
      at: Time,
      requests: Type.Integer(),
      rejected: Type.Integer(),
      duplicates: Type.Integer(),
      events: Type.Integer(),
      deliveries: Type.Integer({ description: 'Deliveries that succeeded.' }),
      failedDeliveries: Type.Integer({ description: 'Deliveries that failed after their last try.' }),
      failedTries: Type.Integer({ description: 'Attempts that failed.' }),
    }),
  ),
  providers: Type.Array(
    Type.Object({
      provider: Type.String(),
      requests: Type.Integer(),
      rejected: Type.Integer(),
      duplicates: Type.Integer(),
      lastAt: Nullable(Time),
    }),
  ),
  deliveries: Type.Object({
    pending: Type.Integer({ description: 'Deliveries that wait now, counted as far as 20,000.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    failedTries: Type.Integer(),
  }),
});
export type Stats = Static<typeof Stats>;
export const StatsQuery = Closed({ window: Type.Optional(Duration), bucket: Type.Optional(Duration), merchant: Merchant });
