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

/** How long until then, counting down. */
export function Countdown({ at }: { readonly at: string }) {
  const text = useClock((now) => untilThen(Date.parse(at) - now));
  return (
    <time className="num" dateTime={at} title={exactTime(at)}>
      {text}
    </time>
  );
}
