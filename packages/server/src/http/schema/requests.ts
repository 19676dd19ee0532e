import Type from 'typebox';
import type { Static } from 'typebox';
import { Closed, HeaderMap, Id, ListOf, Nullable, PageInput, Time, Words } from './common.ts';

const Verdict = Words(['accepted', 'rejected', 'duplicate']);

const Diagnosis = Type.Object({
  detail: Type.String(),
  findings: Nullable(
    Type.Array(Type.Object({ cause: Type.String(), sentence: Type.String(), fix: Type.String(), certain: Type.Boolean() }), {
      description: 'What would have to be different for the signature to match. Null in lists where nobody looked yet.',
    }),
  ),
});
export const RequestRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    source: Id,
    provider: Type.String(),
    receivedAt: Time,
    verdict: Verdict,
    reason: Nullable(Type.String()),
    diagnosis: Nullable(Diagnosis),
    size: Type.Integer({ description: 'Bytes of the body.' }),
    sha256: Type.String(),
    headers: HeaderMap,
    duplicates: Type.Integer(),
    expiredAt: Nullable(Time),
  },
  { description: 'One inbound HTTP call, exactly as it came.' },
);
export type RequestRow = Static<typeof RequestRow>;
export const RequestDetail = Type.Object({
  ...RequestRow.properties,
  rawHeaders: Type.Array(Type.Array(Type.String()), { description: '[name, value] in order of arrival.' }),
});
export type RequestDetail = Static<typeof RequestDetail>;
export const RequestList = ListOf(RequestRow);
export type RequestList = Static<typeof RequestList>;
export const RequestQuery = Closed({ ...PageInput, source: Type.Optional(Id), verdict: Type.Optional(Verdict) });
