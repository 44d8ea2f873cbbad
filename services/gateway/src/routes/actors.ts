/** Which actors there are. */
import { json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';

const list: Route = {
  method: 'GET',
  path: '/v1/actors',
  operationId: 'listActors',
  tag: 'actors',
  summary: 'List actors, page by page.',
  role: 'read',
  query: {
    type: { kind: 'text', meaning: 'Only of this type.' },
    after: { kind: 'text', meaning: 'Behind this address, as `next` of the page before.' },
    limit: { kind: 'whole', min: 1, max: 200, default: 200, meaning: 'Actors on a page.' },
  },
  responses: { 200: { meaning: 'A page.', schema: ref('Actors') } },
  async handle(request, { troupe }) {
    const { actors, next } = await troupe.actors({
      type: request.text('type'),
      after: request.text('after'),
      limit: request.whole('limit'),
      signal: request.signal,
    });
    return json(next === undefined ? { actors } : { actors, next });
  },
};

export const ACTOR_ROUTES: readonly Route[] = [list];
