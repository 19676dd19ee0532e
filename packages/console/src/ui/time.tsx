import { clockTime, exactTime, span, useClock } from './clock.ts';

/** A moment as the clock on the wall shows it. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  const text = useClock((now) => (at ? clockTime(at, now) : ''));
  if (!at) return <span className="muted">—</span>;
  return (
    <time className="num" dateTime={at} title={exactTime(at)}>
      {text}
    </time>
  );
}

/** How long ago, counting by itself. */
export function Ago({ at, suffix = ' ago' }: { readonly at: string | null | undefined; readonly suffix?: string }) {
  const text = useClock((now) => (at ? span(now - Date.parse(at)) : ''));
  if (!at) return <span className="muted">never</span>;
  return (
    <time className="num" dateTime={at} title={exactTime(at)}>
      {text === 'now' ? 'now' : text + suffix}
    </time>
  );
}

function untilThen(ms: number): string {
  const text = span(ms);
  return ms <= 0 || text === 'now' ? 'now' : `in ${text}`;
}

/** A moment more than it takes to happen when it is due. */
const PAST_MS = 5_000;

/** How long until then, counting down; `past`: what to say long after it. */
export function Countdown({ at, past = 'now' }: { readonly at: string; readonly past?: string }) {
  const text = useClock((now) => (Date.parse(at) < now - PAST_MS ? past : untilThen(Date.parse(at) - now)));
  return (
    <time className="num" dateTime={at} title={exactTime(at)}>
      {text}
    </time>
  );
}
