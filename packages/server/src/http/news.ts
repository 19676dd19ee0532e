import type { Observe } from '../engine/faces.ts';
import type { Hub } from '../live/hub.ts';
import { presentDelivery, presentRequest } from './rows.ts';

/** About how many characters the fixed part of a row takes. */
const ROW = 600;

/** Passes on what the engine has committed; rows get their outside form only where somebody watches. */
export function followEngine(observe: Observe, hub: Hub): () => void {
  const off = [
    observe.on('request', (row) => {
      const weight = ROW + row.headers.length + (row.diagnosis?.length ?? 0);
      hub.publish({ topic: 'request', merchant: row.merchant, weight, json: () => JSON.stringify(presentRequest(row)) });
    }),
    observe.on('transaction', ({ merchant, json }) =>
      hub.publish({ topic: 'transaction', merchant, weight: json.length, json: () => json }),
    ),
    observe.on('delivery', (row) =>
      hub.publish({ topic: 'delivery', merchant: row.merchant, weight: ROW, json: () => JSON.stringify(presentDelivery(row)) }),
    ),
    observe.on('endpoint', ({ id, merchant, happened, reason }) =>
      hub.publish({ topic: 'endpoint', merchant, weight: ROW, json: () => JSON.stringify({ id, merchant, happened, reason }) }),
    ),
  ];
  return () => off.forEach((stop) => stop());
}
