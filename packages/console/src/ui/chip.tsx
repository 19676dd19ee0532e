import { Icon } from './icons.tsx';
import { capital, DELIVERY_LOOKS, OUTCOME_LOOKS, STATUS_LOOKS, TIMELINE_LOOKS, VERDICT_LOOKS, type Look } from './status.ts';

const LOOKS = {
  status: STATUS_LOOKS,
  verdict: VERDICT_LOOKS,
  delivery: DELIVERY_LOOKS,
  outcome: OUTCOME_LOOKS,
  timeline: TIMELINE_LOOKS,
} as const;

export function Chip({ of, value, quiet = false }: { readonly of: keyof typeof LOOKS; readonly value: string; readonly quiet?: boolean }) {
  const looks: Readonly<Record<string, Look>> = LOOKS[of];
  const look = looks[value] ?? { tone: 'mute', icon: 'question', word: capital(value), means: 'A word that this console does not know.' };
  return <LookChip look={look} quiet={quiet} />;
}

/** Icon and word: the colour only repeats what they say. */
export function LookChip({ look, quiet = false }: { readonly look: Look; readonly quiet?: boolean }) {
  return (
    <span className={`chip ${look.tone}${quiet ? ' quiet' : ''}`} title={look.means}>
      <Icon name={look.icon} size={12} />
      {look.word}
    </span>
  );
}

export function Flag({ name }: { readonly name: string }) {
  return <span className="flag">{capital(name)}</span>;
}
