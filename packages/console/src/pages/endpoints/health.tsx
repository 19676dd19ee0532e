import type { EndpointRow } from '../../api/types.ts';
import { Icon, type IconName } from '../../ui/icons.tsx';
import { capital, type Tone } from '../../ui/status.ts';

interface State {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

const WELL = 0.99;
const POOR = 0.8;

function judge(endpoint: EndpointRow): State {
  if (!endpoint.active)
    return { tone: 'mute', icon: 'pause', word: endpoint.disabledReason === null ? 'Paused' : capital(endpoint.disabledReason) };
  const rate = endpoint.health.successRate;
  if (rate === null) return { tone: 'mute', icon: 'clock', word: 'No traffic' };
  if (rate >= WELL) return { tone: 'good', icon: 'check', word: 'Healthy' };
  return rate >= POOR ? { tone: 'wait', icon: 'hand', word: 'Unsteady' } : { tone: 'bad', icon: 'cross', word: 'Failing' };
}

export function Health({ endpoint }: { readonly endpoint: EndpointRow }) {
  const { tone, icon, word } = judge(endpoint);
  return (
    <span className={`chip ${tone}`} title="Over the last hour">
      <Icon name={icon} size={12} />
      {word}
    </span>
  );
}
