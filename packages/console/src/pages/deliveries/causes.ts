import { CAUSES } from '../../../../server/src/engine/deliver/causes.ts';
import { capital } from '../../ui/status.ts';

const TEXTS: Readonly<Record<string, { readonly sentence: string; readonly hint: string }>> = CAUSES;

/** What happened in an attempt and what to do about it, from the engine's own table. */
export function explainCause(cause: string): string {
  const text = Object.hasOwn(TEXTS, cause) ? TEXTS[cause] : undefined;
  return text === undefined ? `${capital(cause)}.` : `${text.sentence} ${text.hint}`.trim();
}
