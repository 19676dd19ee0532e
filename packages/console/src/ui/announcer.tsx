import { useEffect, useState } from 'react';
import { summary } from '../live/pulse.ts';

const EVERY_MS = 5_000;

/** Says what happened once in five seconds: a screen reader could not follow single rows. */
export function Announcer() {
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setInterval(() => setText(summary(EVERY_MS)), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="visually-hidden" aria-live="polite" data-testid="announcer">
      {text}
    </p>
  );
}
