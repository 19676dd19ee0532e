/** A webhook as its bytes say it, where they say it in the plainest form. */
export interface PlainWebhook {
  readonly source: string;
  /** `/in/{source}`. */
  readonly path: string;
  /** Name, value, name, value ... as they came. */
  readonly rawHeaders: readonly string[];
  readonly host: string;
  /** A view of the chunk. */
  readonly body: Buffer;
  /** What lies behind the body: the next request of an impatient sender. */
  readonly rest: Buffer | null;
}

const START = 'POST /in/';
const END = ' HTTP/1.1';
const SOURCE = /^[A-Za-z0-9_-]{1,100}$/;
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const LENGTH = /^\d{1,6}$/;
const MOST_HEADERS = 64;
/** Above it node:http reads, with its own bounds. */
const LONGEST_HEAD = 8 * 1024;
/** Whatever changes how the rest is to be read belongs to node:http. */
const NOT_PLAIN = new Set(['transfer-encoding', 'content-encoding', 'expect', 'upgrade', 'connection', 'trailer', 'te']);

/**
 * Reads a chunk that is one whole `POST /in/{source}` with a Content-Length; null where it is anything else, or may be read in two ways.
 * What it takes is a strict part of HTTP/1.1 (RFC 9112): visible ASCII, CRLF, no folding, one Host, one length, nothing encoded.
 */
export function readPlain(chunk: Buffer): PlainWebhook | null {
  const headEnd = chunk.indexOf('\r\n\r\n');
  if (headEnd === -1 || headEnd > LONGEST_HEAD) return null;
  const head = chunk.toString('latin1', 0, headEnd);
  const lineEnd = head.indexOf('\r\n');
  if (lineEnd === -1 || !head.startsWith(START) || !head.endsWith(END, lineEnd)) return null;
  const path = head.slice(START.length - '/in/'.length, lineEnd - END.length);
  const source = path.slice('/in/'.length);
  if (!SOURCE.test(source)) return null;
  const rawHeaders: string[] = [];
  let host: string | null = null;
  let length = -1;
  for (let at = lineEnd + 2; at < headEnd;) {
    const found = head.indexOf('\r\n', at);
    const end = found === -1 ? headEnd : found;
    const colon = head.indexOf(':', at);
    if (colon === -1 || colon > end) return null;
    const name = head.slice(at, colon);
    const value = valueIn(head, colon + 1, end);
    if (value === null || !NAME.test(name)) return null;
    const lower = name.toLowerCase();
    if (NOT_PLAIN.has(lower) && !(lower === 'connection' && value.toLowerCase() === 'keep-alive')) return null;
    if (lower === 'host') {
      if (host !== null) return null;
      host = value;
    } else if (lower === 'content-length') {
      if (length !== -1 || !LENGTH.test(value)) return null;
      length = Number(value);
    }
    if (rawHeaders.push(name, value) > 2 * MOST_HEADERS) return null;
    at = end + 2;
  }
  const bodyAt = headEnd + 4;
  if (host === null || length === -1 || bodyAt + length > chunk.length) return null;
  const rest = chunk.length === bodyAt + length ? null : chunk.subarray(bodyAt + length);
  return { source, path, rawHeaders, host, body: chunk.subarray(bodyAt, bodyAt + length), rest };
}

/** Without the blanks around it; null where it has anything but visible ASCII, blanks and tabs. */
function valueIn(head: string, from: number, to: number): string | null {
  for (let at = from; at < to; at++) {
    const code = head.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code > 0x7e) return null;
  }
  return head.slice(from, to).trim();
}
