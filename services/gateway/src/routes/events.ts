/** Server-sent events: what actors publish, and the progress of a running turn. */
import type { BusMessage } from '@troupe/runtime';
import { assertTaskId, assertType, decodeKey, decodeOutcome, HEADERS } from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import { type ChannelSource, END_ID } from '../http/event-channels.ts';
import type { GatewayRequest } from '../http/gateway-request.ts';
import { events, nothingMore } from '../http/reply.ts';
import type { ResponseSpec, Route } from '../http/route.ts';
import { ACTOR_PARAMS, LAST_EVENT } from './params.ts';
import { followTask, taskChannel } from './task-stream.ts';

const STREAM: ResponseSpec = {
  meaning:
    'Events: `outcome` (a turn ended: actor, taskId, seq, ok, output or error), `event` (the machine emitted one: actor, event), `dropped` (so many were left out because the reader is slow), `gap` (some may be missing: the state and the task tell). The id of an event is its effect id, the same for repeats.',
  contentType: 'text/event-stream',
  schema: { type: 'string' },
};

const all: Route = {
  method: 'GET',
  path: '/v1/events',
  operationId: 'events',
  tag: 'events',
  summary: 'Outcomes and emitted events of all actors, or of a type, from now on.',
  description:
    'At least once; what was published while nobody listened is not repeated. A reader that was cut off goes on with Last-Event-ID: events are kept for a minute after the last reader went.',
  role: 'read',
  query: { type: { kind: 'text', meaning: 'Only of this actor type.' } },
  headers: LAST_EVENT,
  responses: { 200: STREAM },
  handle(request, context) {
    const type = request.text('type');
    if (type !== undefined) assertType(type);
    const { subjects } = context;
    return published(request, context, type === undefined ? subjects.every('out') : subjects.ofType('out', type));
  },
};

const ofActor: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/events',
  operationId: 'actorEvents',
  tag: 'events',
  summary: 'Outcomes and emitted events of one actor, from now on.',
  role: 'read',
  description: 'As `/v1/events`.',
  params: ACTOR_PARAMS,
  headers: LAST_EVENT,
  responses: { 200: STREAM },
  handle: (request, context) => published(request, context, context.subjects.out(request.address())),
};

const progress: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/tasks/{taskId}/stream',
  operationId: 'taskStream',
  tag: 'events',
  summary: 'Tokens and progress of a running turn, from now on, until it ends.',
  description:
    'Not durable: what nobody listened to shows as a gap in `n`. It ends with `outcome` or `error`. To miss nothing, ask with Accept: text/event-stream; a reader that was cut off goes on here with Last-Event-ID, for a minute, also where it was an ask. One that has seen the end gets 204.',
  role: 'read',
  params: { ...ACTOR_PARAMS, taskId: { kind: 'text', meaning: 'The task; an unnamed one is named by its sequence.' } },
  headers: LAST_EVENT,
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
    const lastId = request.lastEventId();
    if (lastId === END_ID) return nothingMore;
    return events((stream) =>
      context.channels.read(taskChannel(address, taskId), followTask(context, address, taskId), stream, lastId),
    );
  },
};

export const EVENT_ROUTES: readonly Route[] = [all, ofActor, progress];

function published(request: GatewayRequest, { ports, channels }: GatewayContext, subject: string) {
  const lastId = request.lastEventId();
  const listen: ChannelSource = (channel) => {
    const subscription = ports.bus.subscribe(subject, {}, (message) => {
      const { name, data, id } = readPublished(message);
      channel.push(name, data, id);
    });
    return () => subscription.close();
  };
  return events((stream) => channels.read(subject, listen, stream, lastId));
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
