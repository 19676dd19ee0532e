import { setTimeout as wait } from 'node:timers/promises';
import { forge } from '@paybell/sdk';
import type { Provider, SignedRequest, Step } from '@paybell/sdk';
import { EXIT, Failure } from '../command.ts';
import { plain } from '../table.ts';
import type { Target } from './target.ts';

export interface Volley {
  readonly provider: Provider;
  readonly target: Target;
  readonly shots: Iterable<Step>;
  /** Webhooks per second; null: one after the other, with short waits inside a story. */
  readonly rate: number | null;
}

export interface Line {
  readonly type: string;
  readonly id: string;
  readonly fault: string | null;
  readonly status: number;
  /** Answered as a right receiver would: 2xx, or 4xx to a fault. */
  readonly ok: boolean;
  readonly ms: number;
  /** The beginning of the answer's body. */
  readonly answer: string;
}

const ANSWER_WITHIN_MS = 30_000;
const IN_FLIGHT = 64;
/** A story's own waits are for watching; a command should end soon. */
const LONGEST_WAIT_MS = 300;
const ANSWER_SHOWN = 200;

/** Sends all and reports each; throws Failure when nothing listens there. */
export async function sendAll(volley: Volley, report: (line: Line) => void): Promise<{ sent: number; wrong: number }> {
  const began = performance.now();
  const flying = new Set<Promise<void>>();
  let sent = 0;
  let wrong = 0;
  let lost: unknown = null;
  const fire = async (step: Step): Promise<void> => {
    const line = await send(volley, step);
    if (!line.ok) wrong += 1;
    report(line);
  };
  for (const step of volley.shots) {
    if (volley.rate === null) {
      if (sent > 0) await wait(Math.min(step.delayMs, LONGEST_WAIT_MS));
    } else {
      const due = began + (sent * 1000) / volley.rate;
      if (due > performance.now()) await wait(due - performance.now());
    }
    const flight: Promise<void> = fire(step)
      .catch((error: unknown) => void (lost ??= error))
      .finally(() => flying.delete(flight));
    flying.add(flight);
    sent += 1;
    if (volley.rate === null) await flight;
    else if (flying.size >= IN_FLIGHT) await Promise.race(flying);
    if (lost !== null) break;
  }
  await Promise.all(flying);
  if (lost !== null) throw lost as Error;
  return { sent, wrong };
}

async function send({ provider, target }: Volley, step: Step): Promise<Line> {
  const request = forge({
    provider,
    type: step.type,
    id: step.id,
    now: Date.now(),
    occurredAt: step.occurredAt,
    secret: target.secret,
    data: step.data,
    ...(target.options === null ? {} : { options: target.options }),
    ...(step.fault === undefined ? {} : { fault: step.fault }),
  });
  const began = performance.now();
  const { status, answer } = await post(target.url, request);
  const good = status >= 200 && status < 300;
  const refused = status >= 400 && status < 500;
  const ok = step.fault === undefined || step.fault === 'invalid-json' ? good : refused;
  return { type: step.type, id: step.id, fault: step.fault ?? null, status, ok, ms: Math.round(performance.now() - began), answer };
}

async function post(url: string, { headers, body }: SignedRequest): Promise<{ status: number; answer: string }> {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), redirect: 'manual', signal });
    return { status: answer.status, answer: plain((await answer.text()).slice(0, ANSWER_SHOWN)) };
  } catch (error) {
    const cause = (error as Error).cause;
    const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new Failure(`${url} did not answer${why}.`, EXIT.unreachable.code);
  }
}
