import Type from 'typebox';
import type { Static } from 'typebox';
import { Attempt } from './deliveries.ts';
import { SAYS } from '../validate.ts';
import { Closed, Duration, Id, JsonMap, ListOf, Merchant, Nullable, PageInput, Time, Words } from './common.ts';

const Jitter = Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Share of the wait, each way.' }));

export const RetryPolicy = Type.Union(
  [
    Closed({ delays: Type.Array(Duration, { minItems: 1, maxItems: 100 }), jitter: Jitter }),
    Closed({ first: Duration, factor: Type.Number({ minimum: 1, maximum: 100 }), cap: Duration, window: Duration, jitter: Jitter }),
  ],
  { description: 'The waits before each try, or a formula.' },
);

export const EndpointHealth = Type.Object(
  {
    successRate: Nullable(Type.Number({ description: '0 to 1; null without attempts.' })),
    p50Ms: Nullable(Type.Number()),
    p95Ms: Nullable(Type.Number()),
    lastFailureAt: Nullable(Time),
    lastFailureCause: Nullable(Type.String({ description: 'See docs/causes.md.' })),
    backlog: Type.Integer({ description: 'Deliveries that are pending.' }),
    breaker: Words(
      ['closed', 'open', 'half_open'],
      'open: it is down, and what is due for it waits without burning tries; half_open: one call may find out whether it is back.',
    ),
    limit: Type.Integer({ description: 'Calls at once that it gets now, up to maxInFlight.' }),
    nextProbeAt: Nullable(Time),
    failingSince: Nullable(Type.String({ format: 'date-time', description: 'Since when it has done nothing but fail.' })),
  },
  { description: 'Attempts over the last hour, and how it is sent to now.' },
);

const Content = Words(
  ['event', 'request', 'transaction'],
  'What is sent: the event in the format of `provider`, the inbound request untouched, or the canonical transaction.',
);
const Events = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  minItems: 1,
  maxItems: 200,
  description: 'Event types; `*` stands for any part.',
});
const Url = Type.String({ minLength: 1, maxLength: 2_048 });
const Provider = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'In whose format and signature it is spoken to; `paybell` unless told.',
});
const CustomEvents = Type.Boolean({ description: '`events` may name types that no provider has, because you publish them yourself.' });
const CustomHeaders = Type.Record(Type.String(), Type.String(), {
  description: 'Sent with every call. What looks like a secret is shown as `[hidden]`; sent back so, it stays as it is.',
});
const Signing = Words(
  ['v1', 'v1a', 'both'],
  'Standard Webhooks only: HMAC with a shared secret, ed25519 with a key pair, or both in one header.',
);
const Secret = Type.String({
  minLength: 1,
  maxLength: 10_000,
  description: "Absent: one is made in the provider's form. With providers that sign with the API key, that key.",
});
const Ping = Type.Optional(
  Type.Boolean({ description: 'Sends a signed test event first; nothing is saved unless it is answered with 2xx.' }),
);
const OrderedWait = Type.String({
  ...Duration,
  description: 'With `ordered`: how long an event waits at the longest for those before it, `1s` to `30d`; `1h` unless told.',
});
const SkipStale = Type.Boolean({
  description: 'An event is not sent where a later one of its transaction was delivered: no `pending` after `completed`.',
});
const DisableAfter = Type.String({
  pattern: '^(never|\\d{1,9}(ms|s|m|h|d))$',
  [SAYS]: 'must be a duration such as 30s, 5m or 20h, or never.',
  description: 'How long it may do nothing but fail before it is disabled: 1m to 366d, or never. Absent: PAYBELL_DISABLE_AFTER.',
});
const InFlight = Type.Integer({ minimum: 1, maximum: 256 });

export const EndpointRow = Type.Object(
  {
    id: Id,
    merchant: Type.String(),
    url: Type.String(),
    provider: Type.String(),
    events: Type.Array(Type.String()),
    customEvents: Type.Boolean(),
    content: Content,
    active: Type.Boolean(),
    disabledReason: Nullable(Type.String({ description: 'gone (it answered 410) or failing (nothing else for too long).' })),
    pause: Nullable(
      Type.Object(
        { since: Time, until: Nullable(Time) },
        {
          description:
            'When it last was not active; `until` null: it still is not. New events of that time were not routed to it: POST /v1/events/resend with `since` and `status: missing` sends them.',
        },
      ),
    ),
    disableAfter: Nullable(DisableAfter),
    retry: Nullable(RetryPolicy),
    timeout: Nullable(Duration),
    maxInFlight: Type.Integer(),
    ordered: Type.Boolean(),
    orderedWait: Nullable(OrderedWait),
    skipStale: Type.Boolean(),
    headers: Type.Record(Type.String(), Type.String()),
    signing: Nullable(Signing),
    publicKey: Nullable(Type.String({ description: 'What `v1a` signatures are checked with.' })),
    options: Nullable(JsonMap),
    createdAt: Time,
    health: EndpointHealth,
  },
  { description: 'Where a merchant is sent to.' },
);
export type EndpointRow = Static<typeof EndpointRow>;
export const EndpointList = ListOf(EndpointRow);
export type EndpointList = Static<typeof EndpointList>;
/** With the attempt of the test event, where one was asked for. */
const pinged = { ping: Type.Optional(Attempt) };
export const EndpointWithSecret = Type.Object({
  ...EndpointRow.properties,
  secret: Type.String({ description: 'What the receiver checks with: the shared secret, or the public key.' }),
  ...pinged,
});
export type EndpointWithSecret = Static<typeof EndpointWithSecret>;

const AS_USUAL = { description: "Null: the provider's or the server's own." };

const changeable = {
  events: Type.Optional(Events),
  customEvents: Type.Optional(CustomEvents),
  headers: Type.Optional(CustomHeaders),
  signing: Type.Optional(Signing),
  provider: Type.Optional(Provider),
  content: Type.Optional(Content),
  active: Type.Optional(Type.Boolean()),
  retry: Type.Optional(Type.Union([...RetryPolicy.anyOf, Type.Null()], AS_USUAL)),
  timeout: Type.Optional(Type.Union([Duration, Type.Null()], AS_USUAL)),
  disableAfter: Type.Optional(Type.Union([DisableAfter, Type.Null()], AS_USUAL)),
  maxInFlight: Type.Optional(InFlight),
  ordered: Type.Optional(Type.Boolean()),
  orderedWait: Type.Optional(Nullable(OrderedWait)),
  skipStale: Type.Optional(SkipStale),
  options: Type.Optional(JsonMap),
};

export const NewEndpoint = Closed({
  url: Url,
  ...changeable,
  secret: Type.Optional(Secret),
  ping: Ping,
  merchant: Merchant,
});
export const EndpointChange = Closed({ url: Type.Optional(Url), ...changeable, ping: Ping });
export const ChangedEndpoint = Type.Object({ ...EndpointRow.properties, ...pinged });
export const EndpointQuery = Closed(PageInput);
const PublicKey = Nullable(Type.String({ description: 'Of the key pair; null without one. Its secret half is never shown.' }));
export const Secrets = Type.Object({ secret: Type.String(), secrets: Type.Array(Type.String({ description: 'The current one first.' })) });
export const EndpointSecrets = Type.Object({
  secret: Type.String({ description: 'What the receiver checks with: the shared secret, or the public key.' }),
  secrets: Type.Array(Type.String({ description: 'All that are valid now, the current ones first.' })),
  publicKey: PublicKey,
  previousValidUntil: Nullable(
    Type.String({ format: 'date-time', description: 'When those before the current ones end; null: there are none.' }),
  ),
});
export type EndpointSecrets = Static<typeof EndpointSecrets>;
export const Rotation = Closed({
  overlap: Type.Optional(Duration),
  secret: Type.Optional(
    Type.String({ minLength: 1, maxLength: 10_000, description: 'The next secret, such as a new API key. Absent: one is made.' }),
  ),
});
export const Rotated = Type.Object({ id: Id, secret: Type.String(), publicKey: PublicKey, previousValidUntil: Time });
export type Rotated = Static<typeof Rotated>;
export const TestInput = Closed({ type: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) });
