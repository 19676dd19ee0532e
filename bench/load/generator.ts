import { answerCalls } from '../child.ts';
import { runClosed, type ClosedPlan } from './closed-loop.ts';
import { runOpen, type OpenPlan } from './open-loop.ts';
import { buildRequests, type RequestPlan, type Requests } from './requests.ts';

const prepared = new Map<string, Requests>();

function take(name: string): Requests {
  const requests = prepared.get(name);
  if (requests === undefined) throw new Error(`no requests named ${name} were prepared`);
  return requests;
}

const handlers = {
  /** Builds requests under a name, outside of any timed part. Answers with the bytes of one. */
  prepare(input: { readonly name: string; readonly plan: RequestPlan }): number {
    const requests = buildRequests(input.plan);
    prepared.set(input.name, requests);
    return requests.size;
  },
  closed: (input: { readonly name: string } & ClosedPlan) => runClosed(take(input.name), input),
  open: (input: { readonly name: string } & OpenPlan) => runOpen(take(input.name), input),
};

export type Generator = typeof handlers;

answerCalls(handlers);
