import type { DeliveryRow } from '../../api/types.ts';
import { Chip, LookChip } from '../../ui/chip.tsx';
import type { Look } from '../../ui/status.ts';
import { explainCause } from './causes.ts';

const OVERTAKEN = 'superseded';
const LOOK: Look = { tone: 'mute', icon: 'ban', word: 'Overtaken', means: explainCause(OVERTAKEN) };

/** How a delivery stands; one that was not sent on purpose is no failure to look after. */
export function DeliveryChip({ row, quiet = false }: { readonly row: Pick<DeliveryRow, 'status' | 'cause'>; readonly quiet?: boolean }) {
  if (row.status === 'failed' && row.cause === OVERTAKEN) return <LookChip look={LOOK} quiet={quiet} />;
  return <Chip of="delivery" value={row.status} quiet={quiet} />;
}
