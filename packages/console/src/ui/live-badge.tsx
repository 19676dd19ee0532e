import { togglePaused, useStreamState } from '../live/connect.ts';
import { Icon } from './icons.tsx';

const spell = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;

/** How fresh the page is, and the switch that stops it. */
export function LiveBadge() {
  const { phase, behindMs, waiting } = useStreamState();
  const text = {
    connecting: 'connecting',
    live: 'live',
    reconnecting: 'reconnecting',
    paused: waiting > 0 ? `paused · ${waiting} waiting` : 'paused',
  }[phase];
  return (
    <button
      type="button"
      className={`live-badge ${phase}`}
      onClick={togglePaused}
      title={phase === 'paused' ? 'Go on (.)' : 'Pause (.)'}
      data-testid="live-badge"
    >
      {phase === 'paused' ? <Icon name="pause" size={12} /> : <i className="dot" />}
      <span>
        {text}
        {phase === 'live' && behindMs !== null && (
          <>
            {' '}
            · {spell(behindMs)}
            <span className="wide"> behind</span>
          </>
        )}
      </span>
    </button>
  );
}
