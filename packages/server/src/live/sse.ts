import type { ServerResponse } from 'node:http';
import type { Outlet } from './hub.ts';

export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const;

const RECONNECT_MS = 1_000;

/** Opens a stream of Server-Sent Events on a response. */
export function openStream(response: ServerResponse): Outlet {
  response.writeHead(200, SSE_HEADERS);
  // A reader that goes away in the middle of a write is no fault; 'close' ends its subscription.
  response.on('error', () => {});
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  return {
    write: (text) => void response.write(text),
    backlog: () => response.writableLength,
    drained: (resume) => {
      if (response.writableNeedDrain) response.once('drain', resume);
      else setImmediate(resume);
    },
    drop: () => void response.destroy(),
  };
}
