import { causeOfStatus, type Cause } from './faults.ts';

/** The head of a final answer, and how its body ends. */
export interface Head {
  readonly status: number;
  readonly cause: Cause;
  /** Without prototype; names in lower case; control characters escaped as `\x0d`. */
  readonly headers: Record<string, string | string[]>;
  /** Bytes of the body, or how its end is told. */
  readonly body: number | 'chunked' | 'until_close';
  /** False where a second answer on this connection could be misread. */
  readonly reusable: boolean;
  /** Seconds that the server says it keeps the connection. */
  readonly keepAliveS: number | null;
}

export interface BadHead {
  readonly fault: Cause;
  readonly status: number | null;
}

const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/s;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;
const UNTIDY = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;

/**
 * Reads the bytes up to the empty line, as Latin-1. Lines may end in a bare LF (RFC 9112, 2.2), and strange characters
 * in values are kept escaped: the status decides, and doubt only costs the reuse of the connection.
 */
export function readHead(text: string): Head | BadHead | 'interim' {
  const tidy = !UNTIDY.test(text);
  const lines = text.split(tidy ? '\r\n' : /\r?\n/);
  const start = STATUS_LINE.exec(lines[0] ?? '');
  if (start === null) return { fault: /^HTTP\/1\.[01] /.test(text) ? 'bad_status' : 'protocol_error', status: null };
  const status = Number(start[2]);
  if (status === 101) return { fault: 'unexpected_upgrade', status };
  if (status >= 100 && status < 200) return 'interim';
  const cause = causeOfStatus(status);
  if (cause === 'bad_status') return { fault: cause, status };

  const headers = readHeaders(lines);
  if (headers === null) return { fault: 'protocol_error', status };
  const body = bodyEnd(status, headers);
  if (body === null) return { fault: 'protocol_error', status };
  const reusable = start[1] === '1' && tidy && isFramedPlainly(body, headers) && !/\bclose\b/i.test(String(headers['connection'] ?? ''));
  const keepAlive = /\btimeout=(\d{1,6})\b/i.exec(String(headers['keep-alive'] ?? ''));
  return { status, cause, headers, body, reusable, keepAliveS: keepAlive === null ? null : Number(keepAlive[1]) };
}

/** No reader could see another end of the body than this one does. */
function isFramedPlainly(body: Head['body'], headers: Record<string, string | string[]>): boolean {
  if (body === 'chunked') return String(headers['transfer-encoding']).toLowerCase() === 'chunked';
  return typeof body === 'number' && Number(headers['content-length'] ?? 0) === body;
}

function readHeaders(lines: readonly string[]): Record<string, string | string[]> | null {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name)) return null;
    const key = name.toLowerCase();
    const value = readable(line.slice(colon + 1).trim());
    const before = headers[key];
    if (before === undefined) headers[key] = value;
    else if (typeof before === 'string') headers[key] = [before, value];
    else before.push(value);
  }
  return headers;
}

/** RFC 9112, 6.3; null where the length is said twice or in two ways, which is how answers are smuggled. */
function bodyEnd(status: number, headers: Record<string, string | string[]>): Head['body'] | null {
  const length = headers['content-length'];
  const encoding = headers['transfer-encoding'];
  if (length !== undefined && (encoding !== undefined || typeof length !== 'string' || !/^\d{1,15}$/.test(length))) return null;
  if (status === 204 || status === 304) return encoding === undefined ? 0 : 'until_close';
  if (encoding !== undefined) return /(?:^|,)\s*chunked$/i.test(String(encoding)) ? 'chunked' : 'until_close';
  return length === undefined ? 'until_close' : Number(length);
}

function readable(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.replace(CONTROL, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
