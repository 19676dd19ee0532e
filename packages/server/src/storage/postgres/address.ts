import { StorageError } from './errors.ts';

/** One server of an address. */
export interface Server {
  /** As `pg` reads it: one host, and all else that the address says. */
  readonly url: string;
  /** For people; no user, no password. */
  readonly name: string;
}

const DEFAULT_PORT = '5432';
const FORM = 'write postgres://user:password@host:5432/name, with several servers postgres://user:password@one:5432,two:5432/name.';

/**
 * The servers of an address as libpq knows it: `postgres://user:password@a:5432,b:5433/name`, or with `host=a,b&port=5432,5433`.
 * Throws a sentence, which holds nothing of a password.
 */
export function serversOf(url: string): readonly Server[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/is.exec(url);
  if (parts === null) throw new StorageError(`This is no address of a database: ${FORM}`, null);
  const [, before = '', authority = '', path = '', search = ''] = parts;
  const parameters = new URLSearchParams(search);
  refuseStandbys(parameters.get('target_session_attrs'));
  const [hosts, ports] = [parameters.get('host'), parameters.get('port')];
  const found = hosts === null ? authority.split(',').map((one) => hostAndPort(one, ports)) : paired(hosts.split(','), ports);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return [{ url, name: nameOf(only) }];
  return found.map((one) => {
    if (one.host === '') throw new StorageError(`The address of the database has a comma too many: ${FORM}`, null);
    parameters.set('host', one.host);
    parameters.set('port', one.port);
    return { url: `${before}several${path}?${parameters.toString()}`, name: nameOf(one) };
  });
}

interface Place {
  readonly host: string;
  readonly port: string;
}

const nameOf = ({ host, port }: Place): string => `${host === '' ? 'localhost' : host}:${port}`;

/** Paybell writes: it looks for the one that may be written to, whatever of these an address says. */
function refuseStandbys(asked: string | null): void {
  if (asked === null || ['any', 'read-write', 'primary'].includes(asked)) return;
  throw new StorageError(
    'Paybell writes to its database: target_session_attrs must be read-write or primary, which is what it looks for anyway.',
    null,
  );
}

function hostAndPort(text: string, otherwise: string | null): Place {
  const [, name, port] = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::(\d*))?$/i.exec(text) ?? [];
  if (name === undefined) throw new StorageError(`The address of the database has a host or port that is none: ${FORM}`, null);
  return { host: plain(name), port: portOf(port === undefined || port === '' ? otherwise : port) };
}

/** As many ports as hosts, or one for all of them. */
function paired(hosts: readonly string[], given: string | null): Place[] {
  const ports = given === null ? [] : given.split(',');
  if (ports.length > 1 && ports.length !== hosts.length)
    throw new StorageError('The address of the database has not as many ports as hosts: write one for each, or one for all.', null);
  return hosts.map((host, index) => ({ host, port: portOf(ports.length === 1 ? ports[0] : ports[index]) }));
}

function portOf(text: string | null | undefined): string {
  if (text === null || text === undefined || text === '') return DEFAULT_PORT;
  if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536) return text;
  throw new StorageError('The address of the database has a port that is none: it is a number from 1 to 65535.', null);
}

/** The folder of a socket comes in percent signs, an IPv6 address in brackets. */
function plain(name: string): string {
  try {
    return decodeURIComponent(name.replace(/^\[(.*)\]$/, '$1'));
  } catch {
    throw new StorageError(`The address of the database has a host that is none: ${FORM}`, null);
  }
}
