/** Looking at one actor. */
import type { HistoryEntry } from '@troupe/client';
import { type History, openHistory } from '@troupe/inspect';
import { formatAddress, TroupeError, toJsonValue } from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import { json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';
import { ACTOR_PARAMS, TIMEOUT } from './params.ts';

/** Entries on a page. */
const PAGE_DEFAULT = 200;
const PAGE_MAX = 1_000;
/** Bytes on a page, about. */
const PAGE_BYTES_MAX = 8_388_608;

const state: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/state',
  operationId: 'state',
  tag: 'actors',
  summary: 'The state of an actor as of now, or as of an earlier entry.',
  role: 'read',
  params: ACTOR_PARAMS,
  query: {
    minSeq: {
      kind: 'whole',
      meaning: 'Answer only once this journal sequence is applied: to read what was sent before.',
    },
    seq: {
      kind: 'whole',
      meaning:
        'As of this journal sequence: folded by the gateway from what is kept, so it has to know the definition (--config).',
    },
    timeoutMs: TIMEOUT,
  },
  responses: { 200: { meaning: 'The state.', schema: ref('State') } },
  async handle(request, context) {
    const { type, key } = request.address();
    const { troupe } = context;
    const seq = request.whole('seq');
    if (seq !== undefined) return json(await stateAt(context, { type, key }, seq));
    const view = await troupe
      .actor(type, key)
      .query(
        'state',
        {},
        { minSeq: request.whole('minSeq'), timeoutMs: request.whole('timeoutMs'), signal: request.signal },
      );
    return json(view);
  },
};

const history: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/history',
  operationId: 'history',
  tag: 'actors',
  summary: 'Entries of the journal of an actor, oldest first.',
  role: 'read',
  params: ACTOR_PARAMS,
  query: {
    fromSeq: { kind: 'whole', meaning: 'From this sequence on.' },
    toSeq: { kind: 'whole', meaning: 'Up to this sequence, included.' },
    last: { kind: 'whole', min: 1, max: PAGE_MAX, meaning: 'Only the last so many.' },
    limit: {
      kind: 'whole',
      min: 1,
      max: PAGE_MAX,
      default: PAGE_DEFAULT,
      meaning: 'Entries on a page; fewer where they are large.',
    },
  },
  responses: { 200: { meaning: 'A page.', schema: ref('History') } },
  async handle(request, { troupe }) {
    const { type, key } = request.address();
    const last = request.whole('last');
    const limit = last ?? request.whole('limit') ?? PAGE_DEFAULT;
    const range = { fromSeq: request.whole('fromSeq'), toSeq: request.whole('toSeq'), last };
    const entries: unknown[] = [];
    let bytes = 0;
    for await (const entry of troupe.actor(type, key).history({ ...range, signal: request.signal })) {
      if (entries.length >= limit || bytes > PAGE_BYTES_MAX) return json({ entries, next: entry.seq });
      const shown = shownEntry(entry);
      bytes += JSON.stringify(shown).length;
      entries.push(shown);
    }
    return json({ entries });
  },
};

const timers: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/timers',
  operationId: 'timers',
  tag: 'actors',
  summary: 'Timers of an actor that wait.',
  role: 'read',
  params: ACTOR_PARAMS,
  responses: { 200: { meaning: 'The timers.', schema: ref('Timers') } },
  async handle(request, { troupe }) {
    const { type, key } = request.address();
    return json(await troupe.actor(type, key).query('timers', {}, { signal: request.signal }));
  },
};

const query: Route = {
  method: 'POST',
  path: '/v1/actors/{type}/{key}/queries/{name}',
  operationId: 'query',
  tag: 'actors',
  summary: 'Ask the owner of an actor something.',
  description: 'Queries change nothing: `state`, `history`, `outcome`, `timers`, and what the definition adds.',
  role: 'read',
  params: { ...ACTOR_PARAMS, name: { kind: 'text', meaning: 'Which query.' } },
  query: { timeoutMs: TIMEOUT },
  body: { meaning: 'Its arguments.', required: false, schema: { type: 'object' } },
  responses: { 200: { meaning: 'What the owner answered.', schema: {} } },
  async handle(request, { troupe }) {
    const { type, key } = request.address();
    const args = await request.object();
    const options = { timeoutMs: request.whole('timeoutMs'), signal: request.signal };
    return json(await troupe.actor(type, key).query(request.param('name'), args, options));
  },
};

export const READ_ROUTES: readonly Route[] = [state, history, timers, query];

const histories = new WeakMap<GatewayContext, History>();

/** @throws TroupeError `NotFound`, `UnknownActorType`, `JournalGap` */
async function stateAt(context: GatewayContext, address: { type: string; key: string }, seq: number): Promise<unknown> {
  const known = histories.get(context);
  const history = known ?? openHistory({ ports: context.ports, actors: context.definitions });
  if (known === undefined) histories.set(context, history);
  const state = await history.of(address).stateAt(seq);
  if (state !== undefined) return state;
  throw new TroupeError(
    'NotFound',
    `${formatAddress(address)} has no entry up to ${seq}: take a sequence from its history.`,
  );
}

function shownEntry(entry: HistoryEntry): unknown {
  return toJsonValue(entry);
}
