import { hash } from 'node:crypto';
import { diagnose } from '@paybell/sdk';
import type { Provider, Verdict, VerifyInput } from '@paybell/sdk';
import type { NewRequest } from '../storage/contract.ts';
import { providerOf } from './directory/rules.ts';
import type { InnerDirectory } from './directory.ts';
import type { Accepted, Inbound, Observe, Source } from './faces.ts';
import type { IdPrefix } from './ids.ts';
import type { Clock, Log, Storage } from './ports.ts';
import { headersOf, headersText } from './accept/headers.ts';
import { publishedEvent } from './accept/publish.ts';
import { readEvents } from './accept/read.ts';
import type { Recorder } from './record.ts';
import { KeyConflict, Refusal } from './refusal.ts';
import type { Publish, Published } from './faces.ts';
import type { Router } from './route.ts';

/** Diagnosing costs many hashes: under a flood of forged requests the rest is diagnosed when somebody looks at it. */
const DIAGNOSES_PER_SECOND = 5;
const DIAGNOSED_BYTES = 32 * 1024;
/** The quarantine of a source is brought within its bounds after this many rejected requests, and at the first; its age, see upkeep.ts. */
const PRUNE_EVERY = 200;
const QUARANTINE = { maxCount: 10_000, maxBytes: 64 * 1024 * 1024, limit: 2 * PRUNE_EVERY };

export interface AcceptParts {
  readonly directory: InnerDirectory;
  readonly recorder: Recorder;
  readonly router: Router;
  readonly storage: Storage;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: (prefix: IdPrefix) => string;
}

export interface Accept {
  accept(source: string, inbound: Inbound): Promise<Accepted>;
  publish(merchant: string, items: readonly Publish[]): Promise<readonly Published[]>;
  /** Judges a kept request again, as of its own arrival. */
  judgeAgain(source: Source, kept: KeptRequest): Promise<'accepted' | 'rejected'>;
}

export interface KeptRequest {
  readonly id: string;
  readonly receivedAt: number;
  readonly headers: string;
  readonly sha256: string;
  readonly body: Uint8Array;
}

/** Both doors: bytes in, one commit, the answer after it. */
export function createAccept(parts: AcceptParts): Accept {
  const { directory, recorder, router, clock, newId } = parts;
  const quarantine = createQuarantine(parts);
  const diagnosing = limiter(clock, DIAGNOSES_PER_SECOND);

  async function take(source: Source, request: NewRequest, judged: Judged): Promise<Accepted> {
    const { provider, verdict, input } = judged;
    if (!verdict.ok) {
      const findings = input.body.byteLength <= DIAGNOSED_BYTES && diagnosing() ? diagnose(provider, input) : null;
      await recorder.submit({
        request: {
          ...request,
          verdict: 'rejected',
          reason: verdict.reason,
          diagnosis: JSON.stringify({ detail: verdict.detail, findings }),
        },
        events: [],
      });
      if (request.known !== true) quarantine(source.id);
      return { kind: 'rejected', request: request.id, reason: verdict.reason, detail: verdict.detail };
    }
    const bytes = verdict.authenticated ?? input.body;
    const read = readEvents({ provider, source, request, bytes, headers: input.headers, newId });
    const events = read.map((event) => router.route(event, clock.now()));
    const recorded = await recorder.submit({ request, events });
    return { kind: recorded.requestVerdict === 'duplicate' ? 'duplicate' : 'accepted', request: request.id, ack: provider.ack };
  }

  return {
    accept(id, inbound) {
      const source = directory.sourceById(id);
      if (source === undefined)
        return Promise.reject(new Refusal('unknown_source', 'There is no source with this address. Look it up under Sources.'));
      if (!source.active) return Promise.reject(new Refusal('source_paused', 'This source is paused. Resume it to receive again.'));
      const now = clock.now();
      const judged = judge(source, { body: inbound.body, headers: inbound.headers, url: inbound.url, now });
      const request: NewRequest = {
        id: newId('req'),
        merchant: source.merchant,
        source: source.id,
        provider: source.provider,
        receivedAt: now,
        verdict: 'accepted',
        reason: null,
        diagnosis: null,
        headers: headersText(inbound.rawHeaders),
        body: inbound.body,
        sha256: hash('sha256', inbound.body),
      };
      return take(source, request, judged);
    },

    async publish(merchant, items) {
      directory.checkMerchant(merchant);
      const urls = await Promise.all(items.map(async ({ url }) => (url === undefined ? null : directory.endpointForUrl(merchant, url))));
      const now = clock.now();
      const format = directory.formatOf(merchant);
      const made = items.map((item) => publishedEvent({ item, merchant, format, now, newId }));
      if (made.length === 0) return [];
      const { events } = await recorder.submit({
        request: null,
        events: made.map((read, index) => router.route(read, now, urls[index] ?? null)),
      });
      const lines = events.map(({ outcome, id, deliveries }): Published | null =>
        outcome === 'variant' ? null : { id, deliveries, duplicate: outcome === 'duplicate' },
      );
      const published = lines.filter((line) => line !== null);
      if (published.length < lines.length) throw new KeyConflict(lines);
      return published;
    },

    async judgeAgain(source, kept) {
      const headers = headersOf(JSON.parse(kept.headers) as [string, string][]);
      const judged = judge(source, { body: kept.body, headers, url: '', now: kept.receivedAt });
      if (!judged.verdict.ok) return 'rejected';
      const request: NewRequest = {
        ...kept,
        merchant: source.merchant,
        source: source.id,
        provider: source.provider,
        verdict: 'accepted',
        reason: null,
        diagnosis: null,
        known: true,
      };
      await take(source, request, judged);
      return 'accepted';
    },
  };
}

export interface Judged {
  readonly provider: Provider;
  readonly verdict: Verdict;
  readonly input: VerifyInput;
}

/** What a source makes of a request that arrived at `now`. */
export function judge(
  source: Source,
  { body, headers, url, now }: { body: Uint8Array; headers: Inbound['headers']; url: string; now: number },
): Judged {
  const provider = providerOf(source.provider);
  const input: VerifyInput = {
    body,
    headers,
    secrets: source.secrets,
    now,
    url,
    ...(source.options === null ? {} : { options: source.options }),
  };
  return { provider, verdict: provider.verify(input), input };
}

/** At most `perSecond` calls a second are allowed. */
function limiter(clock: Clock, perSecond: number): () => boolean {
  let second = 0;
  let used = 0;
  return () => {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) [second, used] = [now, 0];
    used += 1;
    return used <= perSecond;
  };
}

/** Keeps forged requests from filling the disk: oldest first, per source, now and then rather than at each. */
function createQuarantine({ storage, log }: Pick<AcceptParts, 'storage' | 'log'>): (source: string) => void {
  const rejected = new Map<string, number>();
  return (source) => {
    const count = (rejected.get(source) ?? 0) + 1;
    rejected.set(source, count);
    // The first since the start too: what came before is not counted here.
    if (count !== 1 && count % PRUNE_EVERY !== 0) return;
    storage
      .prune({ source, ...QUARANTINE })
      .catch((error: unknown) => log.warn({ source, error: String(error) }, 'the quarantine could not be pruned'));
  };
}
