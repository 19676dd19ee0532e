import { parseDuration } from '../../engine/deliver/durations.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentAttempt } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import { Attempt } from '../schema/deliveries.ts';
import * as shape from '../schema/endpoints.ts';
import { maybeTime, rfc3339 } from '../time.ts';

const tags = ['endpoints'];
const DEFAULT_OVERLAP = '24h';

/** What one does with an endpoint besides changing it: its secrets, a test. */
export const endpointActions: Routes = (api, { engine, clock }) => {
  const { directory } = engine;

  api.get(
    '/endpoints/:id/secret',
    {
      schema: {
        tags,
        summary: 'The signing secrets that are valid now',
        params: ById,
        response: { 200: shape.EndpointSecrets, ...problems('not_found') },
      },
    },
    async (request) => {
      const { secrets, publicKey, overlapUntil } = directory.signingOf(directory.endpoint(request.caller.merchant, request.params.id));
      return { secret: secrets[0] ?? '', secrets: [...secrets], publicKey, previousValidUntil: maybeTime(overlapUntil) };
    },
  );

  api.post(
    '/endpoints/:id/rotate-secret',
    {
      schema: {
        tags,
        summary: 'A fresh secret; the one before stays valid for a while',
        params: ById,
        body: shape.Rotation,
        response: { 200: shape.Rotated, ...problems('not_found', 'invalid_body', 'invalid_secret', 'invalid_timeout') },
      },
    },
    async (request) => {
      const overlapMs = parseDuration(request.body.overlap ?? DEFAULT_OVERLAP);
      if (overlapMs === null) throw new Problem('invalid_body', 'overlap: must be a duration of at most a year, such as 24h.');
      const { secret } = request.body;
      const turn = { overlapMs, ...(secret === undefined ? {} : { secret }) };
      const endpoint = await directory.rotateSecret(request.caller.merchant, request.params.id, turn);
      const { secrets, publicKey, overlapUntil } = directory.signingOf(endpoint);
      return { id: endpoint.id, secret: secrets[0] ?? '', publicKey, previousValidUntil: rfc3339(overlapUntil ?? clock.now()) };
    },
  );

  api.post(
    '/endpoints/:id/test',
    {
      schema: {
        tags,
        summary: 'Send a signed test event now',
        params: ById,
        body: shape.TestInput,
        response: { 200: Attempt, ...problems('not_found', 'invalid_body', 'invalid_event_type') },
      },
    },
    async (request) => {
      const { attempt, request: sent } = await engine.test(request.caller.merchant, request.params.id, request.body.type);
      return presentAttempt(attempt, sent.body);
    },
  );
};
