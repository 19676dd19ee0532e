import { diagnose } from '@paybell/sdk';
import { headersOf } from './accept/headers.ts';
import { judge } from './accept.ts';
import type { InnerDirectory } from './directory.ts';
import type { Engine } from './faces.ts';
import type { Storage } from './ports.ts';
import { Refusal } from './refusal.ts';

/** Looks into a kept request: what would have to be different for its signature to match. */
export function createDiagnosis({ storage, directory }: { storage: Storage; directory: InnerDirectory }): Engine['diagnose'] {
  return async (merchant, id) => {
    const request = await storage.getRequest({ merchant, id });
    const body = await storage.getRequestBody({ merchant, id });
    if (request !== null && request.expiredAt !== null)
      throw new Refusal('expired', 'The headers and the body of this request expired, so it cannot be judged again.');
    const source = request === null ? undefined : directory.sourceById(request.source);
    if (request === null || body === null) throw new Refusal('not_found', 'There is no request with this id.');
    if (source === undefined) return [];
    const headers = headersOf(JSON.parse(request.headers) as [string, string][]);
    const { provider, verdict, input } = judge(source, { body, headers, url: '', now: request.receivedAt });
    return verdict.ok ? [] : diagnose(provider, input);
  };
}
