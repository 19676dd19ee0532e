import { lookup as systemLookup, Resolver } from 'node:dns/promises';

/** All addresses of a host name; rejects with a DNS error code (`ENOTFOUND`, `ENODATA`, `ESERVFAIL`, `ETIMEOUT` ...). */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface LookupOptions {
  /** `address:port` of name servers; default: the system's. */
  readonly servers?: readonly string[];
  /**
   * Ask the system for names that DNS does not know (hosts file, search domains). Such names lead to private addresses, so this
   * is of use only where some are allowed; it is off otherwise, because system look-ups share four threads.
   */
  readonly system: boolean;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const CACHE_MS = 10_000;
const CACHE_NAMES = 1_000;

/** Looks names up with c-ares: answers are kept 10 s, callers of one name share one query, 5 s are the limit. */
export function createLookup(options: LookupOptions): Lookup {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 3), tries: 3 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  const cache = new Map<string, { readonly until: number; readonly addresses: Promise<readonly string[]> }>();
  return (hostname) => {
    const now = performance.now();
    const kept = cache.get(hostname);
    if (kept !== undefined && kept.until > now) return kept.addresses;
    if (cache.size >= CACHE_NAMES) cache.clear();
    const addresses = within(timeoutMs, ask(resolver, hostname, options.system));
    cache.set(hostname, { until: now + CACHE_MS, addresses });
    // A failure is shared by those who wait for it, never kept for those who come later.
    addresses.catch(() => cache.delete(hostname));
    return addresses;
  };
}

async function ask(resolver: Resolver, hostname: string, system: boolean): Promise<readonly string[]> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  // IPv4 first: hosts whose IPv6 is announced but broken are the commoner fault.
  const addresses = [...(v4.status === 'fulfilled' ? v4.value : []), ...(v6.status === 'fulfilled' ? v6.value : [])];
  if (addresses.length > 0) return addresses;
  if (system) {
    const found = await systemLookup(hostname, { all: true }).catch(() => []);
    if (found.length > 0) return found.map(({ address }) => address);
  }
  throw telling(v4, v6);
}

/** "Has no IPv6 address" says less than why IPv4 failed, and the other way round. */
function telling(v4: PromiseSettledResult<unknown>, v6: PromiseSettledResult<unknown>): unknown {
  const errors = [v4, v6].map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code?: string }) : {}));
  return (
    errors.find(({ code }) => code !== undefined && code !== 'ENODATA' && code !== 'ENOTFOUND') ??
    errors.find(({ code }) => code === 'ENOTFOUND') ??
    errors[0]
  );
}

function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('The name servers did not answer.'), { code: 'ETIMEOUT' })), ms);
    timer.unref();
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
