import { useSyncExternalStore } from 'react';

let now = Date.now();
let timer: number | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** Milliseconds since 1970, stepping once a second; `select` keeps a component still until what it shows changes. */
export function useClock<T extends string | number>(select: (now: number) => T): T {
  return useSyncExternalStore(subscribe, () => select(timer === null ? (now = Date.now()) : now));
}

const STEPS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const;

/** `now`, `12s`, `4m`, `3h`, `2d`: the largest unit that fits, either way. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  for (const [size, unit] of STEPS) if (seconds >= size) return `${Math.floor(seconds / size)}${unit}`;
  return 'now';
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

const valid = (at: string): boolean => !Number.isNaN(Date.parse(at));

/** `14:03:22` today, `21 Nov, 14:03:22` before, in the viewer's zone. */
export function clockTime(at: string, today: number): string {
  if (!valid(at)) return at;
  const date = new Date(at);
  const time = clockFormat.format(date);
  return date.toDateString() === new Date(today).toDateString() ? time : `${dayFormat.format(date)}, ${time}`;
}

/** The moment in the viewer's zone and as it is recorded. */
export function exactTime(at: string): string {
  return valid(at) ? `${exactFormat.format(new Date(at))}\n${at}` : at;
}

/** `340 ms`, `1.2 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return '—';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
