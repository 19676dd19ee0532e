import { refuseOtherSites } from '../auth.ts';
import type { Api, RouteParts } from '../parts.ts';
import { Problem } from '../problems.ts';
import { Nothing, problems } from '../schema/common.ts';
import { SessionInput, SessionRow } from '../schema/directory.ts';
import { SESSION_COOKIE } from '../sessions.ts';
import type { Sessions } from '../sessions.ts';
import { rfc3339 } from '../time.ts';

const tags = ['session'];

export function session(api: Api, { engine, settings }: RouteParts, sessions: Sessions): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: settings.publicUrl?.startsWith('https:') === true } as const;

  api.post(
    '/session',
    {
      config: { open: true },
      schema: {
        tags,
        summary: 'Trade a key for a session cookie',
        security: [],
        body: SessionInput,
        response: { 200: SessionRow, ...problems('body_required', 'invalid_body', 'origin_refused') },
      },
    },
    async (request, reply) => {
      // Nobody may sign a visitor in as somebody else.
      refuseOtherSites(request, settings.publicUrl);
      const holder = engine.directory.keyHolder(request.body.key);
      if (holder === null) throw new Problem('unauthorized', 'The key is not known or was withdrawn.');
      const { token, expiresAt, maxAgeSeconds } = sessions.open({ key: holder.id, merchant: holder.merchant });
      reply.setCookie(SESSION_COOKIE, token, { ...cookie, maxAge: maxAgeSeconds });
      return { merchant: holder.merchant, admin: holder.merchant === null, expiresAt: rfc3339(expiresAt) };
    },
  );

  api.get('/session', { schema: { tags, summary: 'Who am I', response: { 200: SessionRow, ...problems() } } }, async ({ caller }) => ({
    merchant: caller.merchant,
    admin: caller.merchant === null,
  }));

  api.delete('/session', { schema: { tags, summary: 'Sign out', response: { 204: Nothing, ...problems() } } }, async (request, reply) => {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) await sessions.end(token);
    return reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null);
  });
}
