import Type from 'typebox';
import type { Static } from 'typebox';
import { SAYS } from '../validate.ts';
import { AnyJson, Closed, Id, ListOf, MerchantName, Nullable, PageInput, Time } from './common.ts';

export const MerchantRow = Type.Object({ id: Type.String(), name: Type.String(), createdAt: Time });
export type MerchantRow = Static<typeof MerchantRow>;
export const MerchantList = ListOf(MerchantRow);
export const NewMerchant = Closed({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  id: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      [SAYS]: 'must be 1 to 64 letters, digits, "_" or "-".',
      description: 'Absent: one is made.',
    }),
  ),
});

export const KeyRow = Type.Object({
  id: Id,
  name: Type.String(),
  merchant: Nullable(Type.String({ description: 'Null: an admin key.' })),
  createdAt: Time,
});
export type KeyRow = Static<typeof KeyRow>;
export const KeyList = ListOf(KeyRow);
export const NewKey = Closed({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  merchant: Type.Optional(MerchantName),
  admin: Type.Optional(Type.Boolean({ description: 'True: sees all merchants; then `merchant` is left out.' })),
});
export const MadeKey = Type.Object({ ...KeyRow.properties, key: Type.String({ description: 'Shown this once.' }) });

const { limit, cursor } = PageInput;
export const OperatorQuery = Closed({ limit, cursor });

export const SessionInput = Closed({ key: Type.String({ minLength: 1, maxLength: 256 }) });
export const SessionRow = Type.Object({
  merchant: Nullable(Type.String({ description: 'Null: admin.' })),
  admin: Type.Boolean(),
  expiresAt: Type.Optional(Time),
});
export type SessionRow = Static<typeof SessionRow>;

export const ProviderRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  about: Type.String(),
  sources: Type.Array(Type.String()),
  rails: Type.Array(Type.String()),
  authenticity: Type.String(),
  signature: Type.String(),
  keyPairs: Type.Boolean({ description: 'Whether an endpoint may sign with a key pair (`signing`).' }),
  retry: Type.Object({ delays: Type.Array(Type.String()), timeout: Type.String(), documented: Type.Boolean() }),
  ack: Type.Object({ status: Type.Integer(), contentType: Type.String(), body: Type.String() }),
  events: Type.Array(
    Type.Object({
      type: Type.String(),
      title: Type.String(),
      kind: Nullable(Type.String()),
      status: Nullable(Type.String()),
      retry: Type.Boolean({ description: 'False: sent once, never again.' }),
      example: AnyJson,
    }),
  ),
});
export type ProviderRow = Static<typeof ProviderRow>;
export const ProviderList = ListOf(ProviderRow);
export const NoQuery = Closed({});
export const LiveQuery = Closed({
  topics: Type.Optional(Type.String({ maxLength: 100, description: 'Some of `transactions,deliveries,requests`; absent: all.' })),
  since: Type.Optional(Type.String({ maxLength: 60, description: 'The last id seen; `Last-Event-ID` wins.' })),
  merchant: Type.Optional(MerchantName),
});
