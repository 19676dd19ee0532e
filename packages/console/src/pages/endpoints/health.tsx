import type { EndpointRow } from '../../api/types.ts';
import { Icon, type IconName } from '../../ui/icons.tsx';
import type { Tone } from '../../ui/status.ts';

interface State {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
  readonly means?: string;
}

const WELL = 0.99;
const POOR = 0.8;

function judge(endpoint: EndpointRow): State {
  if (!endpoint.active)
    return {
      tone: endpoint.disabledReason === null ? 'mute' : 'bad',
      icon: 'pause',
      word: endpoint.disabledReason === null ? 'Paused' : `Disabled: ${endpoint.disabledReason}`,
    };
  const { successRate: rate, breaker, backlog } = endpoint.health;
  if (breaker === 'open')
    return {
      tone: 'bad',
      icon: 'pause',
      word: 'Down',
      means: `Nothing gets through: ${backlog.toLocaleString('en')} wait, no try is lost.`,
    };
  if (breaker === 'half_open')
    return { tone: 'wait', icon: 'question', word: 'Probing', means: 'One delivery finds out whether it is back.' };
  if (rate === null) return { tone: 'mute', icon: 'clock', word: 'No traffic' };
  if (rate >= WELL) return { tone: 'good', icon: 'check', word: 'Healthy' };
  return rate >= POOR ? { tone: 'wait', icon: 'hand', word: 'Unsteady' } : { tone: 'bad', icon: 'cross', word: 'Failing' };
}

export function Health({ endpoint }: { readonly endpoint: EndpointRow }) {
  const { tone, icon, word, means = 'Over the last hour' } = judge(endpoint);
  return (
    <span className={`chip ${tone}`} title={means}>
      <Icon name={icon} size={12} />
      {word}
    </span>
  );
}
