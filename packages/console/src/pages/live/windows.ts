import type { Choice } from '../../ui/segmented.tsx';

export type Window = '15m' | '1h' | '24h';

export const WINDOWS: readonly Choice<Window>[] = [
  { value: '15m', label: '15 min' },
  { value: '1h', label: '1 h' },
  { value: '24h', label: '24 h' },
];

export const BUCKETS: Readonly<Record<Window, { readonly text: string; readonly ms: number }>> = {
  '15m': { text: '10s', ms: 10_000 },
  '1h': { text: '1m', ms: 60_000 },
  '24h': { text: '15m', ms: 900_000 },
};
