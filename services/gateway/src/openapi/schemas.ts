/** JSON Schemas of what the gateway answers, by name; the OpenAPI document refers to them. */
import { CODES } from '@troupe/wire';
import type { JsonSchema } from '../http/route.ts';

const text = { type: 'string' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const anything = {} as const;

function object(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** @example ref('Error') // { $ref: '#/components/schemas/Error' } */
export function ref(name: keyof typeof SCHEMAS): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const local = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

export const SCHEMAS = {
  Error: object(
    {
      code: {
        type: 'string',
        description: 'See docs/reference/errors.md; agents may add their own.',
        examples: Object.keys(CODES),
      },
      message: text,
      actor: text,
      taskId: text,
      retryable: { type: 'boolean', description: 'Whether the same request can succeed later.' },
      details: anything,
    },
    ['actor', 'taskId', 'details'],
  ),
  Accepted: object({ actor: text, taskId: text, seq: whole }),
  Answer: object({ actor: text, taskId: text, output: anything }, ['output']),
  Outcome: object(
    {
      status: { enum: ['pending', 'unknown', 'ended'] },
      ok: { type: 'boolean' },
      output: anything,
      error: local('Error'),
    },
    ['ok', 'output', 'error'],
  ),
  State: object(
    {
      type: text,
      key: text,
      version: whole,
      seq: { ...whole, description: 'Sequence of the last entry in it.' },
      now: { ...whole, description: "The actor's time, Unix ms." },
      count: whole,
      turns: whole,
      status: { enum: ['active', 'done', 'error', 'stopped'] },
      value: anything,
      context: anything,
      output: anything,
      tags: listOf(text),
      children: anything,
      turn: { type: 'object' },
      stash: object({ depth: whole, bytes: whole }),
      timers: listOf({ type: 'object' }),
      effects: listOf({ type: 'object' }),
    },
    ['value', 'context', 'output', 'turn'],
  ),
  History: object(
    {
      entries: listOf(object({ seq: whole, at: whole, body: object({ kind: text }) })),
      next: { ...whole, description: 'fromSeq of the next page; absent on the last.' },
    },
    ['next'],
  ),
  Timers: object({ timers: listOf({ type: 'object' }) }),
  Actors: object(
    {
      actors: listOf(
        object({ type: text, key: text, loaded: { type: 'boolean' }, seq: whole, status: text, value: anything }, [
          'loaded',
          'seq',
          'status',
          'value',
        ]),
      ),
      next: { ...text, description: '`after` of the next page; absent on the last.' },
    },
    ['next'],
  ),
  DeadLetter: object(
    {
      seq: whole,
      at: whole,
      actor: text,
      verb: { enum: ['task', 'signal', 'event'] },
      subject: text,
      code: text,
      message: text,
      headers: { type: 'object', additionalProperties: text },
      payload: anything,
      payloadBase64: text,
      payloadBytes: whole,
      details: anything,
    },
    ['payload', 'payloadBase64', 'payloadBytes', 'details'],
  ),
  DeadLetters: object({ letters: listOf(local('DeadLetter')), next: whole }, ['next']),
  Redriven: object({
    actor: text,
    deadSeq: whole,
    seq: whole,
    applied: { type: 'boolean', description: 'False: it is stored, and takes effect once a worker runs.' },
  }),
  Workers: object({
    workers: listOf(
      object(
        {
          id: text,
          answers: { type: 'boolean', description: 'False: its lease runs, but it did not answer in time.' },
          startedAt: whole,
          types: { type: 'object', additionalProperties: whole },
          stats: { type: 'object' },
        },
        ['stats'],
      ),
    ),
  }),
  Partitions: object({
    partitions: listOf(
      object(
        {
          partition: whole,
          owner: text,
          ownerAlive: { type: 'boolean' },
          epoch: whole,
          head: whole,
          mark: whole,
          state: text,
          position: whole,
          resident: whole,
          held: whole,
        },
        ['owner', 'state', 'position', 'resident', 'held'],
      ),
    ),
  }),
  Me: object({ name: text, role: { enum: ['read', 'operate'] } }),
  Alive: object({ status: { const: 'ok' } }),
  Ready: object({
    status: { enum: ['ready', 'degraded', 'not ready'] },
    checks: listOf(object({ check: text, ok: { type: 'boolean' }, message: text })),
  }),
} as const satisfies Record<string, JsonSchema>;
