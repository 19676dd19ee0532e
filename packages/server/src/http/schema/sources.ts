import Type from 'typebox';
import type { Static } from 'typebox';
import { Closed, Id, JsonMap, ListOf, Merchant, Nullable, PageInput, Time } from './common.ts';

export const SourceRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    provider: Type.String(),
    name: Type.String(),
    ingestPath: Type.String(),
    ingestUrl: Type.String({ description: 'What to give to the provider.' }),
    options: Nullable(JsonMap),
    secrets: Type.Integer({ description: 'How many are valid now.' }),
    active: Type.Boolean(),
    createdAt: Time,
  },
  { description: 'Where a merchant receives from.' },
);
export type SourceRow = Static<typeof SourceRow>;
export const SourceList = ListOf(SourceRow);
export type SourceList = Static<typeof SourceList>;

const Secret = Type.String({ minLength: 1, maxLength: 10_000, description: 'Exactly as the provider shows it.' });
const Name = Type.String({ minLength: 1, maxLength: 200 });

export const NewSource = Closed({
  provider: Type.String({ minLength: 1, maxLength: 64 }),
  secret: Type.Optional(Secret),
  secrets: Type.Optional(Type.Array(Secret, { minItems: 1, maxItems: 8 })),
  name: Type.Optional(Name),
  merchant: Merchant,
  options: Type.Optional(JsonMap),
});

export const SourceChange = Closed({
  name: Type.Optional(Name),
  options: Type.Optional(JsonMap),
  secret: Type.Optional(Secret),
  secrets: Type.Optional(Type.Array(Secret, { minItems: 1, maxItems: 8, description: 'All of them, anew.' })),
  addSecret: Type.Optional(Secret),
  active: Type.Optional(Type.Boolean({ description: 'False: paused; webhooks are answered with 404.' })),
});

export const SourceQuery = Closed(PageInput);
export const Reverified = Type.Object({ checked: Type.Integer(), accepted: Type.Integer(), rejected: Type.Integer() });
export type Reverified = Static<typeof Reverified>;
