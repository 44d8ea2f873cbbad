/** Server-sent events: what actors publish, and the progress of a running turn. */
import type { BusMessage } from '@troupe/runtime';
import {
  type ActorAddress,
  assertTaskId,
  assertType,
  decodeKey,
  decodeOutcome,
  decodePayload,
  HEADERS,
} from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import type { EventStream } from '../http/event-stream.ts';
import { errorBody } from '../http/http-error.ts';
import { events } from '../http/reply.ts';
import type { ResponseSpec, Route } from '../http/route.ts';
import { ACTOR_PARAMS } from './params.ts';

const STREAM: ResponseSpec = {
  meaning:
    'Events: `outcome` (a turn ended: actor, taskId, seq, ok, output or error), `event` (the machine emitted one: actor, event), `dropped` (so many were left out because the reader is slow). The id of an event is its effect id, the same for repeats.',
  contentType: 'text/event-stream',
  schema: { type: 'string' },
};

const all: Route = {
  method: 'GET',
  path: '/v1/events',
  operationId: 'events',
  tag: 'events',
  summary: 'Outcomes and emitted events of all actors, or of a type, from now on.',
  description: 'At least once; what was published while nobody listened is not repeated.',
  role: 'read',
  query: { type: { kind: 'text', meaning: 'Only of this actor type.' } },
  responses: { 200: STREAM },
  handle(request, context) {
    const type = request.text('type');
    if (type !== undefined) assertType(type);
    const { subjects } = context;
    return published(context, type === undefined ? subjects.every('out') : subjects.ofType('out', type));
  },
};

const ofActor: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/events',
  operationId: 'actorEvents',
  tag: 'events',
  summary: 'Outcomes and emitted events of one actor, from now on.',
  role: 'read',
  params: ACTOR_PARAMS,
  responses: { 200: STREAM },
  handle: (request, context) => published(context, context.subjects.out(request.address())),
};

const progress: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/tasks/{taskId}/stream',
  operationId: 'taskStream',
  tag: 'events',
  summary: 'Tokens and progress of a running turn, from now on, until it ends.',
  description:
    'Not durable: what is missed shows as a gap in `n`. It ends with `outcome` or `error`. To miss nothing, ask with Accept: text/event-stream.',
  role: 'read',
  params: { ...ACTOR_PARAMS, taskId: { kind: 'text', meaning: 'The task; an unnamed one is named by its sequence.' } },
  responses: {
    200: {
      meaning: '`progress` events ({ chunk, n, effectId }), then one `outcome` or `error`.',
      contentType: 'text/event-stream',
      schema: { type: 'string' },
    },
  },
  handle(request, context) {
    const address = request.address();
    const taskId = assertTaskId(request.param('taskId'));
    const actor = context.troupe.actor(address.type, address.key);
    return events((stream) => {
      const stops = [watchProgress(context, address, taskId, stream), watchEnd(context, address, taskId, stream)];
      // It may have ended before anybody listened.
      actor.outcome(taskId, { signal: request.signal }).then(
        (view) => {
          if (view.status !== 'ended') return;
          stream.send(
            view.ok ? 'outcome' : 'error',
            view.ok ? { taskId, output: view.value } : errorBody(view.error).body,
          );
          stream.end();
        },
        () => undefined,
      );
      return () => {
        for (const stop of stops) stop();
      };
    });
  },
};

export const EVENT_ROUTES: readonly Route[] = [all, ofActor, progress];

function published({ ports }: GatewayContext, subject: string) {
  return events((stream) => {
    const subscription = ports.bus.subscribe(subject, {}, (message) => {
      const { name, data, id } = readPublished(message);
      stream.send(name, data, id);
    });
    return () => subscription.close();
  });
}

function watchProgress(
  { ports, subjects }: GatewayContext,
  address: ActorAddress,
  taskId: string,
  stream: EventStream,
) {
  const subscription = ports.bus.subscribe(subjects.stream(address, taskId), {}, (message) => {
    const n = Number(message.header(HEADERS.streamSeq) ?? 0);
    const effectId = message.header(HEADERS.effectId);
    const chunk = decodePayload(message.payload, message.header(HEADERS.contentType)).value;
    stream.send('progress', { chunk, n, effectId }, `${n}`);
  });
  return () => subscription.close();
}

function watchEnd({ ports, subjects }: GatewayContext, address: ActorAddress, taskId: string, stream: EventStream) {
  const subscription = ports.bus.subscribe(subjects.out(address), {}, (message) => {
    if (message.header(HEADERS.taskId) !== taskId) return;
    const { outcome } = decodeOutcome(message);
    stream.send(outcome.ok ? 'outcome' : 'error', outcome.ok ? { taskId, output: outcome.value } : outcome.error);
    stream.end();
  });
  return () => subscription.close();
}

function readPublished(message: BusMessage): { name: string; data: object; id: string | undefined } {
  const { outcome, effectId, seq } = decodeOutcome(message);
  const actor = actorOf(message.subject);
  const taskId = message.header(HEADERS.taskId);
  const value = outcome.ok ? outcome.value : outcome.error;
  if (taskId === undefined) return { name: 'event', data: { actor, event: value }, id: effectId };
  const told = outcome.ok ? { output: value } : { error: value };
  return { name: 'outcome', data: { actor, taskId, seq, ok: outcome.ok, ...told }, id: effectId };
}

/** The last two tokens name the actor, whatever the prefix. */
function actorOf(subject: string): string {
  const [type = '', token = ''] = subject.split('.').slice(-2);
  try {
    return `${type}/${decodeKey(token)}`;
  } catch {
    return `${type}/${token}`;
  }
}
