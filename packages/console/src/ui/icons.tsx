const PATHS = {
  live: 'M2 8h2.6l1.7-4.6L9.4 13l1.9-5H14',
  transactions: 'M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13',
  requests: 'M8 2.5v7M5 6.8 8 9.8l3-3M2.8 10.5v1.7c0 .7.6 1.3 1.3 1.3h7.8c.7 0 1.3-.6 1.3-1.3v-1.7',
  deliveries: 'M14 2 7.2 8.8M14 2 9.7 14l-2.5-5.2L2 6.3 14 2Z',
  endpoints: 'M6.5 9.5a3 3 0 0 0 4.3.2l2-2A3 3 0 0 0 8.5 3.5l-.8.8M9.5 6.5a3 3 0 0 0-4.3-.2l-2 2a3 3 0 0 0 4.3 4.2l.8-.8',
  sources:
    'M8 2.5c3 0 5.2.9 5.2 2.1S11 6.7 8 6.7s-5.2-.9-5.2-2.1S5 2.5 8 2.5ZM2.8 4.6v6.8c0 1.2 2.2 2.1 5.2 2.1s5.2-.9 5.2-2.1V4.6M2.8 8c0 1.2 2.2 2.1 5.2 2.1s5.2-.9 5.2-2.1',
  check: 'm3.5 8.5 3 3 6-7',
  cross: 'm4.5 4.5 7 7m0-7-7 7',
  clock: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 5v3.2l2 1.3',
  pause: 'M5.8 4v8M10.2 4v8',
  play: 'm5.5 3.8 6.5 4.2-6.5 4.2V3.8Z',
  question: 'M5.9 6.1A2.1 2.1 0 1 1 8.9 8c-.7.4-.9.7-.9 1.5M8 11.9v.1',
  lock: 'M4 7.5h8v5.5H4zM5.7 7.5V5.4a2.3 2.3 0 0 1 4.6 0v2.1',
  half: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 2.5v11',
  ban: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM4.2 4.2l7.6 7.6',
  hand: 'M8 2.8v6.4M8 12.3v.9',
  back: 'M6 4 2.5 7.5 6 11M3 7.5h6.5a4 4 0 0 1 4 4V13',
  copy: 'M5.5 5.5h7.7v7.7H5.5zM10.5 5.5V2.8H2.8v7.7h2.7',
  search: 'M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4ZM10.2 10.2l3.3 3.3',
  sun: 'M8 5.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4ZM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z',
  screen: 'M2.5 3.5h11v7.5h-11zM6 13.5h4',
  keyboard: 'M2 4.5h12v7.5H2zM4.5 7h.1M7 7h.1M9.5 7h.1M11.7 7h.1M5 9.7h6',
  plus: 'M8 3.5v9M3.5 8h9',
  chevron: 'm6 3.5 4.5 4.5L6 12.5',
  down: 'm4 6 4 4 4-4',
  arrowUp: 'M8 13V3.5M4 7.3l4-4 4 4',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2.5v2.8h-2.8',
  shield: 'M8 2.3 3.3 4v3.8c0 2.7 1.9 4.8 4.7 5.9 2.8-1.1 4.7-3.2 4.7-5.9V4L8 2.3ZM5.9 7.9l1.5 1.5 2.7-2.9',
  signal: 'M3 13v-2.5M6.3 13V8M9.7 13V5.5M13 13V3',
  out: 'M9.5 3H4.3c-.7 0-1.3.6-1.3 1.3v7.4c0 .7.6 1.3 1.3 1.3h5.2M6.5 8H14M11.5 5.5 14 8l-2.5 2.5',
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative: whatever it means stands beside it in words. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
