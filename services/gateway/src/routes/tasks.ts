/** Sending: tasks, asks, signals. */
import { formatAddress, parseDeadline, TroupeError } from '@troupe/wire';
import { END_ID } from '../http/event-channels.ts';
import type { GatewayRequest } from '../http/gateway-request.ts';
import { aboutTask, errorBody } from '../http/http-error.ts';
import { events, json, nothingMore, type Reply } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';
import { ACTOR_PARAMS, LAST_EVENT, RAW, TASK_HEADERS } from './params.ts';
import { askFor, taskChannel } from './task-stream.ts';

const BODY = { meaning: 'The input, or an event: an object with a string type.', required: false, schema: {} } as const;

const send: Route = {
  method: 'POST',
  path: '/v1/actors/{type}/{key}/tasks',
  operationId: 'sendTask',
  tag: 'tasks',
  summary: 'Send a task and wait until it is accepted.',
  description: 'Accepted is durable: the task gets exactly one recorded outcome, see the task itself or the events.',
  role: 'operate',
  params: ACTOR_PARAMS,
  query: { raw: RAW },
  headers: TASK_HEADERS,
  body: BODY,
  responses: { 202: { meaning: 'Accepted.', schema: ref('Accepted') } },
  async handle(request, { troupe }) {
    const address = request.address();
    const input = await request.value();
    const accepted = await troupe.actor(address.type, address.key).send(input, {
      ...taskOptions(request),
      signal: request.signal,
    });
    return json({ actor: formatAddress(address), ...accepted }, 202);
  },
};

const ask: Route = {
  method: 'POST',
  path: '/v1/actors/{type}/{key}/ask',
  operationId: 'ask',
  tag: 'tasks',
  summary: 'Send a task and wait for its outcome.',
  description:
    'With Accept: text/event-stream the answer is a stream: `task` with the id that it got unless you named it, `progress` events while the turn runs (tokens, each with its number), then one `outcome` or `error`. A client that goes away takes nothing back. One that was cut off goes on with the same Troupe-Task-Id and Last-Event-ID, here or at the stream of the task.',
  role: 'operate',
  params: ACTOR_PARAMS,
  query: { raw: RAW },
  headers: { ...TASK_HEADERS, ...LAST_EVENT },
  body: BODY,
  responses: { 200: { meaning: 'What the turn replied.', schema: ref('Answer') } },
  async handle(request, context) {
    const address = request.address();
    const actor = context.troupe.actor(address.type, address.key);
    const input = await request.value();
    const options = { ...taskOptions(request), taskId: taskIdOf(request) };
    const deadlineMs = Math.min(options.deadlineMs ?? 60_000, context.limits.answerMsMax);
    const answer = (output: unknown) => ({ actor: formatAddress(address), taskId: options.taskId, output });
    if (!request.wants('text/event-stream')) {
      const output = await actor
        .ask(input, { ...options, deadlineMs, signal: request.signal })
        .catch((error: unknown) => Promise.reject(aboutTask(error, options.taskId)));
      return json(answer(output));
    }
    const lastId = request.lastEventId();
    if (lastId === END_ID) return nothingMore;
    const named = request.header('Troupe-Task-Id') !== undefined;
    const source = askFor(actor, input, { ...options, deadlineMs }, answer, named);
    const key = taskChannel(address, options.taskId);
    // Somebody who doesn't say that they go on asks anew, also under an id that is known: another payload is a conflict.
    const own = lastId === undefined && context.channels.has(key) ? `${key} ${crypto.randomUUID()}` : key;
    return events((stream) => context.channels.read(own, source, stream, lastId));
  },
};

const signal: Route = {
  method: 'POST',
  path: '/v1/actors/{type}/{key}/signals',
  operationId: 'signal',
  tag: 'tasks',
  summary: 'Send an event that is applied at once, also while a turn is open.',
  role: 'operate',
  params: ACTOR_PARAMS,
  headers: { 'Troupe-Task-Id': TASK_HEADERS['Troupe-Task-Id']! },
  body: {
    meaning: 'The event.',
    required: true,
    schema: { type: 'object', properties: { type: { type: 'string' } }, required: ['type'] },
  },
  responses: { 202: { meaning: 'Accepted.', schema: ref('Accepted') } },
  async handle(request, { troupe }) {
    const address = request.address();
    const event = (await request.object()) as { readonly type: string };
    const { taskId, trace } = taskOptions(request);
    const accepted = await troupe
      .actor(address.type, address.key)
      .signal(event, { taskId, trace, signal: request.signal });
    return json({ actor: formatAddress(address), ...accepted }, 202);
  },
};

const outcome: Route = {
  method: 'GET',
  path: '/v1/actors/{type}/{key}/tasks/{taskId}',
  operationId: 'taskOutcome',
  tag: 'tasks',
  summary: 'What became of a task.',
  role: 'read',
  params: { ...ACTOR_PARAMS, taskId: { kind: 'text', meaning: 'As it was sent, or the sequence of an unnamed one.' } },
  responses: { 200: { meaning: 'Under way, unknown, or how it ended.', schema: ref('Outcome') } },
  async handle(request, { troupe }): Promise<Reply> {
    const address = request.address();
    const view = await troupe
      .actor(address.type, address.key)
      .outcome(request.param('taskId'), { signal: request.signal });
    if (view.status !== 'ended') return json({ status: view.status });
    if (view.ok) return json({ status: 'ended', ok: true, output: view.value });
    return json({ status: 'ended', ok: false, error: errorBody(view.error).body });
  },
};

export const TASK_ROUTES: readonly Route[] = [send, ask, signal, outcome];

function taskOptions(request: GatewayRequest) {
  const taskId = request.header('Troupe-Task-Id') as string | undefined;
  return { taskId, raw: request.on('raw'), trace: request.trace, deadlineMs: deadlineMsOf(request) };
}

/** A stream needs to know its task before it is sent. */
function taskIdOf(request: GatewayRequest): string {
  return (request.header('Troupe-Task-Id') as string | undefined) ?? crypto.randomUUID();
}

/** @throws TroupeError `InvalidHeader` */
function deadlineMsOf(request: GatewayRequest): number | undefined {
  const text = request.header('Troupe-Deadline') as string | undefined;
  if (text === undefined) return undefined;
  const deadline = parseDeadline(text);
  const deadlineMs = 'afterMs' in deadline ? deadline.afterMs : deadline.atMs - Date.now();
  if (deadlineMs > 0) return deadlineMs;
  throw new TroupeError('InvalidHeader', `Troupe-Deadline ${JSON.stringify(text)} has passed: give a later one.`);
}
