import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

export type AddressVerdict = 'public' | 'allowed' | 'blocked';

/** Where clouds hand out credentials. No setting opens these. The fourth is public by its number, yet Azure's own. */
const METADATA: readonly Range[] = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
  'fe80::/10',
  'fd00:ec2::/32',
  'fd20:ce::/32',
].map((text) => ipaddr.parseCIDR(text));

const GLOBAL_IPV6: Range = ipaddr.parseCIDR('2000::/3');

/** Prefixes whose addresses carry an IPv4 address, and the 16-bit group at which it starts. */
const CARRIERS: readonly { readonly range: Range; readonly group: number }[] = [
  { range: ipaddr.parseCIDR('::/96'), group: 6 },
  { range: ipaddr.parseCIDR('::ffff:0:0:0/96'), group: 6 },
  { range: ipaddr.parseCIDR('64:ff9b::/96'), group: 6 },
  { range: ipaddr.parseCIDR('2002::/16'), group: 1 },
];

/** Judges addresses against the ranges an operator allows beyond the public ones. Throws on a range that cannot be read. */
export function addressJudge(allowPrivateCidrs: readonly string[]): (address: string) => AddressVerdict {
  const allowed = allowPrivateCidrs.map(parseRange);
  return (text) => {
    const address = parseAddress(text);
    if (address === null) return 'blocked';
    const carried = carriedIpv4(address);
    if (isIn(address, METADATA) || (carried !== null && isIn(carried, METADATA))) return 'blocked';
    if (isIn(address, allowed)) return 'allowed';
    return isPublic(address) ? 'public' : 'blocked';
  };
}

function parseRange(text: string): Range {
  if (!ipaddr.isValidCIDR(text)) throw new TypeError(`"${text}" is not an address range such as 10.0.0.0/8 or fd00::/8.`);
  return ipaddr.parseCIDR(text);
}

/** An IPv4-mapped address is judged as the IPv4 address that the kernel would dial. */
function parseAddress(text: string): Address | null {
  return ipaddr.isValid(text) && !text.includes('%') ? ipaddr.process(text) : null;
}

/** Only 2000::/3 is routed on the public IPv6 internet, whatever new special ranges appear outside it. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || isIn(address, [GLOBAL_IPV6]);
}

function carriedIpv4(address: Address): Address | null {
  if (!(address instanceof ipaddr.IPv6)) return null;
  const carrier = CARRIERS.find(({ range }) => isIn(address, [range]));
  if (carrier === undefined) return null;
  const high = address.parts[carrier.group] ?? 0;
  const low = address.parts[carrier.group + 1] ?? 0;
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
}

function isIn(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}
