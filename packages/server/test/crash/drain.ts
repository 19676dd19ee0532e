import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { Api } from '../support/server.ts';

const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Resolves when no delivery is pending any more; fails where that takes too long. */
export async function allDelivered(api: Api, withinMs: number = WITHIN_MS): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const { body } = await api.call('GET', '/v1/deliveries?status=pending&limit=1');
    if (body.data.length === 0) return;
    assert.ok(performance.now() < end, `still pending after ${withinMs} ms: ${JSON.stringify(body.data)}`);
    await wait(LOOK_EVERY_MS);
  }
}
