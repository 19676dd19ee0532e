import { utf8 } from '../bytes.ts';
import type { Verdict, VerifyInput } from '../provider.ts';

/**
 * For senders whose signature covers `JSON.stringify` of the parsed body: judges the exact bytes first, then, only where those do
 * not match, the re-serialised ones. The verdict then carries the bytes that were vouched for: the body itself was not.
 */
export function orReserialised(verify: (input: VerifyInput) => Verdict, input: VerifyInput): Verdict {
  const verdict = verify(input);
  if (verdict.ok || verdict.reason !== 'signature_mismatch') return verdict;
  const body = reserialise(input.body);
  if (body === null) return verdict;
  const second = verify({ ...input, body });
  return second.ok ? { ...second, authenticated: body } : verdict;
}

/** The body as a JavaScript program writes it again after parsing, or null where it is no JSON. */
export function reserialise(body: Uint8Array): Uint8Array | null {
  try {
    const again: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return utf8(JSON.stringify(again));
  } catch {
    return null;
  }
}
