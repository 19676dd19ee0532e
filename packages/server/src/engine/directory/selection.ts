import { nearestName, providers } from '@paybell/sdk';
import type { Provider } from '@paybell/sdk';
import { Refusal } from '../refusal.ts';
import { isPattern, matches } from './matching.ts';

const MOST_PATTERNS = 100;
/** A name that is so many letters from one in the catalogue is taken for a slip. */
const SLIP = 2;

const KNOWN: readonly string[] = [...new Set(providers.flatMap(({ events }) => Object.keys(events)))];
const familyOf = (type: string): string => type.split('.', 1)[0] ?? type;
const FAMILIES: readonly string[] = [...new Set(KNOWN.map(familyOf))];

export interface Selection {
  readonly events: readonly string[];
  /** Names that no provider knows are events of the merchant's own. */
  readonly customEvents: boolean;
}

/**
 * Refuses what selects nothing. An endpoint gets the events of every source of its merchant, so the catalogue is that of all providers;
 * what is published may have a name of its own, which passes where it cannot be a slip: no provider's event has its first word.
 */
export function checkSelection({ events, customEvents }: Selection, provider: Provider): void {
  if (events.length === 0 || events.length > MOST_PATTERNS)
    throw new Refusal('invalid_event_type', `"events" has 1 to ${MOST_PATTERNS} entries; ["*"] selects all.`);
  for (const pattern of events) {
    if (!isPattern(pattern))
      throw new Refusal('invalid_event_type', `"${pattern.slice(0, 64)}" selects nothing. Use an event type, "payment.*" or "*".`);
    if (customEvents || KNOWN.some((type) => matches([pattern], type))) continue;
    const meant = meantBy(pattern, provider);
    if (meant === null) continue;
    throw new Refusal(
      'invalid_event_type',
      `No provider has events "${pattern}". ${meant} If you publish events of that name yourself, send "customEvents": true.`,
    );
  }
}

/** What to use instead; null where it is most likely a name of the merchant's own. */
function meantBy(pattern: string, provider: Provider): string | null {
  const wild = pattern.endsWith('.*');
  const own = Object.keys(provider.events);
  const word = familyOf(pattern);
  const near = FAMILIES.includes(word) ? word : nearestName(word, FAMILIES, word.length > 5 ? SLIP : 1);
  const wildMeant = wild && near !== null && !pattern.slice(0, -2).includes('.') ? `${near}.*` : null;
  const exact = wild ? null : (nearestName(pattern, own, SLIP) ?? nearestName(pattern, KNOWN, SLIP));
  const meant = wildMeant ?? exact;
  if (meant !== null) return `Did you mean "${meant}"?`;
  if (near === null) return null;
  const others = (own.some((type) => familyOf(type) === near) ? own : KNOWN).filter((type) => familyOf(type) === near);
  const nearest = nearestName(pattern, others);
  return nearest === null
    ? `There are ${others
        .slice(0, 6)
        .map((type) => `"${type}"`)
        .join(', ')}.`
    : `Did you mean "${nearest}"?`;
}
