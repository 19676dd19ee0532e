import type { Cause } from '../../src/engine/deliver/causes.ts';
import type { SendRequest, SendResult } from '../../src/engine/ports.ts';
import { answered } from '../support/world.ts';
import type { Dice } from './dice.ts';
import { NEVER } from './life.ts';
import type { Life } from './life.ts';
import type { Loop } from './loop.ts';

export const MANNERS = ['ok', 'slow', 'hang', 'reset', 'refused', 'down', 'busy', 'limited', 'wrong', 'moved', 'gone', 'flaky'] as const;
export type Manner = (typeof MANNERS)[number];
const STEADY = MANNERS.filter((manner) => manner !== 'flaky' && manner !== 'gone');

/** One call to an endpoint, as both ends saw it. */
export interface Call {
  readonly n: number;
  readonly life: Life;
  readonly request: SendRequest;
  readonly at: number;
  /** What the sender was told in the end; null while it waits, or where it died first. */
  result: SendResult | null;
  /** The endpoint took it for good: a receiver acts on it. */
  accepted: boolean;
}

export interface NetworkParts {
  readonly loop: Loop;
  readonly dice: Dice;
  readonly note: (text: string) => void;
  readonly sending: (call: Call) => void;
  readonly ended: (call: Call) => void;
}

interface Plan {
  readonly afterMs: number;
  readonly accepted: boolean;
  readonly result: SendResult;
}

/** The merchants' servers, and the wire to them. */
export class Network {
  readonly calls: Call[] = [];
  /** By URL; what is not named is in order. */
  readonly manners = new Map<string, Manner>();
  readonly #parts: NetworkParts;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  send(life: Life, request: SendRequest): Promise<SendResult> {
    const { loop, dice, note, sending, ended } = this.#parts;
    if (!life.step(`calling ${request.url}`)) return NEVER;
    const call: Call = { n: this.calls.length + 1, life, request, at: loop.now(), result: null, accepted: false };
    this.calls.push(call);
    sending(call);
    const manner = this.manners.get(request.url) ?? 'ok';
    const { afterMs, accepted, result } = this.#plan(manner === 'flaky' ? dice.pick(STEADY) : manner, request);
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    loop.after(afterMs, () => {
      call.accepted = accepted;
      life.reach(() => {
        if (!life.step(`answer to call ${call.n}`)) return;
        call.result = result;
        note(`${life.name} call ${call.n} ended: ${result.cause}`);
        ended(call);
        resolve({ ...result, durationMs: loop.now() - call.at });
      });
    });
    return promise;
  }

  #plan(manner: Exclude<Manner, 'flaky'>, { deadlineMs }: SendRequest): Plan {
    const { dice } = this.#parts;
    const soon = dice.int(1, 60);
    const said = (status: number, headers?: Record<string, string>): Plan => ({
      afterMs: soon,
      accepted: status >= 200 && status < 300,
      result: answered(status, headers),
    });
    switch (manner) {
      case 'ok':
        return said(dice.pick([200, 200, 201, 204]));
      case 'slow':
        return { ...said(200), afterMs: dice.int(500, deadlineMs - 1) };
      case 'hang':
        return { afterMs: deadlineMs, accepted: dice.chance(0.5), result: broken('timeout') };
      case 'reset':
        return { afterMs: soon, accepted: dice.chance(0.5), result: broken('conn_reset') };
      case 'refused':
        return { afterMs: soon, accepted: false, result: broken('conn_refused') };
      case 'down':
        return said(dice.pick([500, 502]));
      case 'busy':
        return said(503, { 'retry-after': String(dice.int(0, 40)) });
      case 'limited':
        return said(429, { 'retry-after': dice.pick([String(dice.int(1, 20)), 'soon']) });
      case 'wrong':
        return said(dice.pick([400, 401, 404]));
      case 'moved':
        return said(302);
      case 'gone':
        return said(410);
    }
  }
}

function broken(cause: Cause): SendResult {
  return { ...answered(500), status: null, cause };
}
