import Type from 'typebox';
import type { TProperties, TSchema } from 'typebox';
import { PROBLEMS, PROBLEM_CODES } from '../problems.ts';
import type { ProblemCode } from '../problems.ts';
import { AS_TIME } from '../time.ts';
import { SAYS } from '../validate.ts';

/** An object that refuses fields it does not know. */
export const Closed = <P extends TProperties>(properties: P, options: { readonly description?: string } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const Words = <const T extends readonly string[]>(words: T, description = '') =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...(description === '' ? {} : { description }) });

export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' });
export const TimeInput = Type.String({
  minLength: 10,
  maxLength: 40,
  description: 'RFC 3339, or milliseconds since 1970.',
  [SAYS]: AS_TIME,
});
export const Id = Type.String({ maxLength: 100 });
export const ById = Closed({ id: Id });
export const MerchantName = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'Absent: `default`, or the merchant that the key belongs to.',
});
export const Merchant = Type.Optional(MerchantName);
export const Duration = Type.String({
  pattern: '^\\d{1,9}(ms|s|m|h|d)$',
  description: 'Such as `30s`, `5m`, `20h`.',
  [SAYS]: 'must be a duration such as 30s, 5m or 20h.',
});
export const AnyJson = Type.Unknown({ description: 'Any JSON; numbers keep the text that they were written with.' });
export const JsonMap = Type.Record(Type.String(), Type.Unknown());

export const Money = Type.Object(
  {
    value: Type.String({ description: 'Base units, an integer as text.' }),
    exponent: Type.Integer(),
    currency: Type.String({ description: 'ISO 4217 or CAIP-19.' }),
    text: Type.String({ description: 'As the provider wrote it.' }),
  },
  { description: 'An exact amount.' },
);

export const HeaderMap = Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]));

/** A body kept as bytes, shown as text where it is UTF-8. */
export const BodyText = Type.String({ description: 'Text, or base64 where `encoding` says so.' });
export const Encoding = Words(['utf-8', 'base64']);

export const PageInput = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 400, description: '`nextCursor` of the page before.' })),
  merchant: Merchant,
};

export const ListOf = <S extends TSchema>(row: S) =>
  Type.Object(
    { data: Type.Array(row), nextCursor: Nullable(Type.String()) },
    {
      description: 'Newest first. A page may have few rows, or none, before the end: while `nextCursor` is not null there may be more.',
    },
  );

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Words(PROBLEM_CODES),
    retryable: Type.Boolean(),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { description: 'RFC 9457 problem document.' },
);

const EVERYWHERE = ['bad_request', 'unauthorized', 'internal'] as const satisfies readonly ProblemCode[];

/** The error responses of one route, for OpenAPI. */
export function problems(...codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy(new Set<ProblemCode>([...EVERYWHERE, ...codes]), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: `${group.join(', ')}: ${group.map((code) => PROBLEMS[code].title).join('; ')}.`,
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  );
}

export const Nothing = Type.Null({ description: 'Done; no body.' });
