import { createHash } from 'node:crypto';
import { jsonObject, normalHeaders, parseJson, providerById, stringifyJson } from '@paybell/sdk';
import type { JsonValue, Movement, Provider } from '@paybell/sdk';

/** What may stand in the log under one key: each content that was offered for it. */
export interface Content {
  readonly type: string;
  readonly movement: Movement | null;
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  /** Data of a published event, as text; null for what came in by a request. */
  readonly data: string | null;
  /** sha256 of the request's bytes; null for published ones. */
  readonly digest: string | null;
}

/** One fact that somebody outside told us, and what we answered. */
export interface Fact {
  readonly scope: string;
  readonly merchant: string;
  readonly provider: string;
  readonly contents: Content[];
  /** Somebody was told that it is safe with us. */
  acked: boolean;
  /** The id that an app was told. */
  id: string | null;
  /** Data that an app was told to be in the log. */
  readonly told: Set<string>;
}

/** Everything that was offered, by scope and key. The engine's own reading is not asked: the SDK reads the same bytes once more. */
export class Facts {
  readonly all = new Map<string, Fact>();

  at(scope: string, key: string): Fact | undefined {
    return this.all.get(`${scope}\n${key}`);
  }

  add(where: { scope: string; key: string; merchant: string; provider: string }, content: Content): Fact {
    const name = `${where.scope}\n${where.key}`;
    let fact = this.all.get(name);
    if (fact === undefined) {
      fact = { ...where, contents: [], acked: false, id: null, told: new Set() };
      this.all.set(name, fact);
    }
    const text = JSON.stringify(content);
    if (!fact.contents.some((one) => JSON.stringify(one) === text)) fact.contents.push(content);
    return fact;
  }
}

export function profile(id: string): Provider {
  const provider = providerById(id);
  if (provider === undefined) throw new Error(`There is no provider ${id}.`);
  return provider;
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The events in a webhook, each with its key. */
export function readWebhook(
  provider: Provider,
  { body, headers }: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> },
): { readonly key: string; readonly content: Content }[] {
  const digest = digestOf(body);
  try {
    const options = provider.exampleOptions;
    const facts = provider.read(parseJson(body), {
      digest,
      headers: normalHeaders(headers),
      ...(options === undefined ? {} : { options }),
    });
    return facts.map(({ dedupeKey, type, movement, sequence, occurredAt }) => ({
      key: dedupeKey,
      content: { type, movement, sequence, occurredAt, data: null, digest },
    }));
  } catch {
    return [{ key: digest, content: { type: 'unreadable', movement: null, sequence: null, occurredAt: null, data: null, digest } }];
  }
}

/** What a published event says, in the vocabulary of `paybell`. */
export function readPublished(type: string, data: JsonValue, occurredAt: number): Content {
  const [fact] = profile('paybell').read(jsonObject({ type, data }), { digest: '', headers: {} });
  return { type, movement: fact?.movement ?? null, sequence: fact?.sequence ?? null, occurredAt, data: stringifyJson(data), digest: null };
}
