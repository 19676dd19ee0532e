import { useState } from 'react';
import { Pick } from '../../ui/filters.tsx';

const SPANS = [
  { value: '-15m', label: 'Last 15 min' },
  { value: '-1h', label: 'Last hour' },
  { value: '-24h', label: 'Last 24 hours' },
  { value: '-7d', label: 'Last 7 days' },
  { value: 'custom', label: 'Custom…' },
] as const;

const two = (part: number): string => String(part).padStart(2, '0');

/** As `datetime-local` wants it, in the viewer's zone. */
function toLocal(at: string | undefined): string {
  if (at === undefined || at.startsWith('-') || Number.isNaN(Date.parse(at))) return '';
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

const fromLocal = (text: string): string => (text === '' ? '' : new Date(text).toISOString());

export interface TimeRangeProps {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly set: (name: string, value: string) => void;
}

export function TimeRange({ from, to, set }: TimeRangeProps) {
  const isCustom = (from !== undefined && !from.startsWith('-')) || to !== undefined;
  const [wanted, setWanted] = useState(false);
  const custom = isCustom || wanted;
  const pick = (value: string): void => {
    setWanted(value === 'custom');
    if (value === 'custom') return set('from', from?.startsWith('-') === true ? '' : (from ?? ''));
    set('to', '');
    set('from', value);
  };
  return (
    <>
      <Pick label="Updated" value={custom ? 'custom' : from} choices={SPANS} onChange={pick} />
      {custom && (
        <span className="range">
          <input
            type="datetime-local"
            aria-label="From"
            value={toLocal(from)}
            onChange={(event) => set('from', fromLocal(event.target.value))}
          />
          <span>to</span>
          <input type="datetime-local" aria-label="To" value={toLocal(to)} onChange={(event) => set('to', fromLocal(event.target.value))} />
        </span>
      )}
    </>
  );
}
