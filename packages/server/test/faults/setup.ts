import assert from 'node:assert/strict';
import type { SendRequest, SendResult } from '../../src/engine/ports.ts';
import { createGuard } from '../../src/send/guard.ts';
import { createSender, type Sender, type SenderOptions } from '../../src/send/http.ts';
import type { Lookup } from '../../src/send/lookup.ts';
import { startFaultServer, type Behaviour, type FaultServer } from './fault-server.ts';

export const LOOPBACK = ['127.0.0.0/8', '::1/128'];
export const HOST = 'hooks.test';

/** The name that test certificates are for leads to loopback. */
const lookup: Lookup = async (hostname) => {
  if (hostname !== HOST) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return ['127.0.0.1'];
};

export type Options = Omit<Partial<SenderOptions>, 'guard'> & { readonly lookup?: Lookup };

export function makeSender({ lookup: own, ...options }: Options = {}): Sender {
  return createSender({ guard: createGuard({ allowPrivateCidrs: LOOPBACK, lookup: own ?? lookup }), ...options });
}

export const BODY = Buffer.from('{"event":"payment.completed","data":{"reference":"R-1"}}');

export function request(url: string, more: Partial<SendRequest> = {}): SendRequest {
  return { url, method: 'POST', headers: { 'content-type': 'application/json' }, body: BODY, deadlineMs: 5_000, ...more };
}

/** One server that behaves so, one sender, both gone afterwards. */
export async function withServer(
  behaviour: Behaviour,
  run: (server: FaultServer, sender: Sender) => Promise<void>,
  options: Options = {},
): Promise<void> {
  const server = await startFaultServer(behaviour);
  const sender = makeSender(options);
  try {
    await run(server, sender);
  } finally {
    await server.close();
    await sender.close();
  }
}

/** Every fault ends by its deadline; the slack is for a busy machine, not for the sender. */
export function assertInTime(result: SendResult, deadlineMs: number): void {
  assert.ok(result.durationMs <= deadlineMs + 1_000, `took ${result.durationMs} ms of ${deadlineMs} ms`);
}
