import { isIP } from 'node:net';
import { addressJudge, type AddressVerdict } from './address.ts';
import { causeOfLookup, Fault, type Cause } from './faults.ts';
import { createLookup, type Lookup } from './lookup.ts';

export interface GuardOptions {
  /** Ranges allowed beyond the public ones: `PAYBELL_ALLOW_PRIVATE_CIDRS`. */
  readonly allowPrivateCidrs: readonly string[];
  readonly lookup?: Lookup;
}

export interface UrlRefusal {
  readonly code: Extract<Cause, 'url_refused' | 'https_required' | 'address_blocked'>;
  /** What is wrong and what to do, for the person who set the URL. */
  readonly sentence: string;
}

/** A URL taken apart, with what could be judged at once already judged. */
export interface Target {
  readonly secure: boolean;
  /** Name or address to check certificates against; IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For the `host` header: default ports left out. */
  readonly host: string;
  readonly path: string;
  readonly origin: string;
}

export interface Guard {
  /** Null: nothing speaks against the URL so far; a host name is judged by its addresses at every dial. */
  judgeUrl(url: string): UrlRefusal | null;
  target(url: string): Target | UrlRefusal;
  /** The vetted addresses to dial, at most eight; throws a `Fault`. */
  vet(target: Target): Promise<readonly string[]>;
}

const MAX_ADDRESSES = 8;
const MAX_URL_LENGTH = 2_048;

/** Ports of services that could mistake an HTTP request for commands: the list that browsers block. */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
  119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
  989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
]);

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata', 'metadata.google.internal', 'instance-data']);

/** Keeps webhooks on the public internet (and the ranges an operator allows), whatever URL a merchant sets or its DNS answers. */
export function createGuard(options: GuardOptions): Guard {
  const judge = addressJudge(options.allowPrivateCidrs);
  const anyAllowed = options.allowPrivateCidrs.length > 0;
  const lookup = options.lookup ?? createLookup({ system: anyAllowed });

  function target(url: string): Target | UrlRefusal {
    const found = readUrl(url);
    if ('code' in found) return found;
    const verdict = verdictAtOnce(found.hostname, judge);
    if (verdict === 'blocked') return BLOCKED;
    if (!found.secure && (verdict === 'public' || !anyAllowed)) return PLAIN_HTTP;
    return found;
  }

  /** `localhost` is both loopback addresses by definition; an operator who allows one of them means that one. */
  async function addressesOf(hostname: string): Promise<readonly string[]> {
    if (isIP(hostname) !== 0) return [hostname];
    if (isLocalhost(hostname)) return LOOPBACK.filter((address) => judge(address) === 'allowed');
    return resolve(lookup, hostname);
  }

  return {
    target,
    judgeUrl(url) {
      const found = target(url);
      return 'code' in found ? found : null;
    },
    async vet({ hostname, secure }) {
      const addresses = await addressesOf(hostname);
      const verdicts = addresses.map(judge);
      if (verdicts.includes('blocked') || verdicts.length === 0) throw new Fault('address_blocked');
      if (!secure && verdicts.includes('public')) throw new Fault('https_required');
      return addresses.slice(0, MAX_ADDRESSES);
    },
  };
}

async function resolve(lookup: Lookup, hostname: string): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await lookup(hostname);
  } catch (error) {
    throw new Fault(causeOfLookup(error));
  }
  if (addresses.length === 0) throw new Fault('dns_no_address');
  return addresses;
}

/** Null where only a look-up can tell. WHATWG parsing has already turned every spelling of an address into its plain one. */
function verdictAtOnce(hostname: string, judge: (address: string) => AddressVerdict): AddressVerdict | null {
  if (isIP(hostname) !== 0) return judge(hostname);
  if (METADATA_NAMES.has(withoutDot(hostname))) return 'blocked';
  if (isLocalhost(hostname)) return LOOPBACK.some((address) => judge(address) === 'allowed') ? 'allowed' : 'blocked';
  return null;
}

function isLocalhost(hostname: string): boolean {
  const name = withoutDot(hostname);
  return name === 'localhost' || name.endsWith('.localhost');
}

/** `example.com.` is the fully qualified spelling of the same name. */
function withoutDot(hostname: string): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

function readUrl(text: string): Target | UrlRefusal {
  if (text.length > MAX_URL_LENGTH) return refused(`The URL is longer than ${MAX_URL_LENGTH} characters.`);
  const url = URL.parse(text);
  if (url === null) return refused('This is not a complete URL such as https://example.com/webhooks.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refused('Only https URLs can be used.');
  if (url.username !== '' || url.password !== '')
    return refused('The URL holds a user name or password: set a custom header on the endpoint instead.');
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  if (BLOCKED_PORTS.has(port)) return refused(`Port ${port} belongs to another service: use a port meant for HTTP.`);
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return { secure, hostname, port, host: url.host, path: url.pathname + url.search, origin: url.origin };
}

function refused(sentence: string): UrlRefusal {
  return { code: 'url_refused', sentence };
}

const BLOCKED: UrlRefusal = {
  code: 'address_blocked',
  sentence:
    'The URL leads to an address that is not public. Use a public one, or have the operator allow its range with PAYBELL_ALLOW_PRIVATE_CIDRS.',
};

const PLAIN_HTTP: UrlRefusal = {
  code: 'https_required',
  sentence: 'Webhooks go over https. Plain http is only for addresses that the operator allows with PAYBELL_ALLOW_PRIVATE_CIDRS.',
};
