/** The machine that every simulated actor is: it does the operations of its tasks, and lists all that happened to it. */
import { ask, reply, tell } from '@troupe/agent';
import { type ActorDefinition, defineActor, effectId } from '@troupe/core';
import { assign, cancel, fromPromise, raise, setup } from 'xstate';
import type { Operation } from './plan.ts';
import { keyOf } from './plan.ts';

export const TYPE = 'clerk';
/** No turn and no ask ends by its deadline: everything has to end by itself. */
const DEADLINE_MS = 3_600_000;

export interface ClerkContext {
  readonly key: string;
  readonly actors: number;
  /** Depends on all that was taken in. */
  readonly n: number;
  /** Tasks and asks, in the order in which their turns began. */
  readonly applied: readonly string[];
  /** What others told: `<sender>#<number there>`. */
  readonly heard: readonly string[];
  /** How many things each other was told. */
  readonly told: Readonly<Record<string, number>>;
  readonly got: readonly unknown[];
  readonly set: readonly string[];
  readonly fired: readonly string[];
  readonly forgotten: readonly string[];
  readonly task: string;
  readonly operations: readonly Operation[];
}

interface Task {
  readonly type: 'task';
  readonly input: { readonly operations: readonly Operation[]; readonly actors: number };
  readonly task: { readonly id: string };
}
interface Heard {
  readonly type: 'heard';
  readonly from: string;
  readonly number: number;
  readonly hops: number;
  readonly n: number;
}
interface Reminded {
  readonly type: 'reminded';
  readonly id: string;
}

/** What the outside does: set by the world that runs. */
export interface Outside {
  call(kind: 'call' | 'once', effectId: string, ms: number): Promise<number>;
}

let outside: Outside | undefined;

/** One world at a time: machines are made once per process. */
export function setOutside(world: Outside | undefined): void {
  outside = world;
}

function callOutside(kind: 'call' | 'once') {
  return fromPromise<number, { ms: number }>(({ input }) => outside!.call(kind, effectId(), input.ms));
}

const head = ({ operations }: ClerkContext): Operation | undefined => operations[0];
const isNext =
  (kind: Operation[0]) =>
  ({ context }: { context: ClerkContext }): boolean =>
    head(context)?.[0] === kind;
const rest = assign({ operations: ({ context }: { context: ClerkContext }) => context.operations.slice(1) });
const waitMs = ({ context }: { context: ClerkContext }): number => {
  const next = head(context);
  return next?.[0] === 'wait' || next?.[0] === 'remind' || next?.[0] === 'call' || next?.[0] === 'once' ? next[1] : 0;
};
const took = {
  target: 'next',
  actions: assign({
    got: ({ context, event }: { context: ClerkContext; event: unknown }) => [
      ...context.got,
      (event as { output?: unknown }).output ?? 'failed',
    ],
    n: ({ context, event }: { context: ClerkContext; event: unknown }) =>
      context.n + (Number((event as { output?: unknown }).output) % 97 || 1),
    operations: ({ context }: { context: ClerkContext }) => context.operations.slice(1),
  }),
} as const;
/** The reminder that is set and has not fired: one at most. */
function waiting({ set, fired, forgotten }: ClerkContext): readonly string[] {
  const last = set.at(-1);
  return last === undefined || fired.includes(last) || forgotten.includes(last) ? [] : [last];
}

/** The reminder that a turn sets is named by turn and place, so that each has a name of its own. */
const reminderOf = (context: ClerkContext): string => `${context.task}:${context.operations.length}`;
const tellHead = [
  tell(
    TYPE,
    ({ context }: { context: ClerkContext }) => (head(context) as readonly ['tell', string, number, number])[1],
    ({ context }: { context: ClerkContext }) => {
      const [, to, , hops] = head(context) as readonly ['tell', string, number, number];
      return { type: 'heard', from: context.key, number: (context.told[to] ?? 0) + 1, hops, n: context.n };
    },
  ),
  assign({
    told: ({ context }: { context: ClerkContext }) => {
      const [, to] = head(context) as readonly ['tell', string, number, number];
      return { ...context.told, [to]: (context.told[to] ?? 0) + 1 };
    },
    operations: ({ context }: { context: ClerkContext }) => {
      const [, to, count, hops] = head(context) as readonly ['tell', string, number, number];
      const left = context.operations.slice(1);
      return count > 1 ? [['tell', to, count - 1, hops] as const, ...left] : left;
    },
  }),
];
/** To whom what was heard is passed on: a fixed one per actor. */
const passTo = ({ key, actors }: ClerkContext): string => keyOf((Number(key.slice(1)) * 5 + 1) % Math.max(1, actors));
const hear = assign({
  heard: ({ context, event }: { context: ClerkContext; event: Heard }) => [
    ...context.heard,
    `${event.from}#${event.number}`,
  ],
  n: ({ context, event }: { context: ClerkContext; event: Heard }) => context.n + 1 + (event.n % 3),
});

const machine = setup({
  types: {
    context: {} as ClerkContext,
    input: {} as { key: string },
    events: {} as Task | Heard | Reminded,
  },
  actors: { call: callOutside('call'), once: callOutside('once'), clerk: ask(TYPE) },
  delays: { wait: waitMs },
}).createMachine({
  context: ({ input }) => ({
    key: input.key,
    actors: 12,
    n: 0,
    applied: [],
    heard: [],
    told: {},
    got: [],
    set: [],
    fired: [],
    forgotten: [],
    task: '',
    operations: [],
  }),
  on: {
    heard: [
      {
        guard: ({ event }) => event.hops > 0,
        actions: [
          hear as never,
          tell(
            TYPE,
            ({ context }: { context: ClerkContext }) => passTo(context),
            ({ context, event }: { context: ClerkContext; event: unknown }) => ({
              type: 'heard',
              from: context.key,
              number: (context.told[passTo(context)] ?? 0) + 1,
              hops: (event as Heard).hops - 1,
              n: context.n,
            }),
          ) as never,
          assign({
            told: ({ context }) => ({ ...context.told, [passTo(context)]: (context.told[passTo(context)] ?? 0) + 1 }),
          }),
        ],
      },
      { actions: hear as never },
    ],
    reminded: {
      actions: assign({
        fired: ({ context, event }) => [...context.fired, event.id],
        n: ({ context }) => context.n + 1,
      }),
    },
  },
  initial: 'idle',
  states: {
    idle: {
      on: {
        task: {
          target: 'next',
          actions: assign({
            applied: ({ context, event }) => [...context.applied, event.task.id],
            n: ({ context }) => context.n + 1,
            task: ({ event }) => event.task.id,
            actors: ({ event }) => event.input.actors,
            operations: ({ event }) => event.input.operations,
          }),
        },
      },
    },
    next: {
      always: [
        { guard: isNext('call'), target: 'calling' },
        { guard: isNext('once'), target: 'charging' },
        { guard: isNext('ask'), target: 'asking' },
        { guard: isNext('wait'), target: 'waiting' },
        { guard: isNext('tell'), target: 'next', reenter: true, actions: tellHead as never },
        {
          guard: isNext('remind'),
          target: 'next',
          reenter: true,
          actions: [
            raise(({ context }) => ({ type: 'reminded', id: reminderOf(context) }) as const, {
              id: 'reminder',
              delay: waitMs,
            }),
            assign({
              set: ({ context }) => [...context.set, reminderOf(context)],
              // It takes the place of the one that waits, if there is one.
              forgotten: ({ context }) => [...context.forgotten, ...waiting(context)],
            }),
            rest as never,
          ],
        },
        {
          guard: isNext('forget'),
          target: 'next',
          reenter: true,
          actions: [
            cancel('reminder'),
            assign({ forgotten: ({ context }) => [...context.forgotten, ...waiting(context)] }),
            rest as never,
          ],
        },
        { target: 'idle', actions: reply(({ context }) => context.n * 1_000 + context.applied.length) as never },
      ],
    },
    calling: {
      invoke: {
        src: 'call',
        input: ({ context }) => ({ ms: waitMs({ context }) }),
        onDone: took as never,
        onError: took as never,
      },
    },
    charging: {
      invoke: {
        src: 'once',
        input: ({ context }) => ({ ms: waitMs({ context }) }),
        onDone: took as never,
        onError: took as never,
      },
    },
    asking: {
      invoke: {
        src: 'clerk',
        input: ({ context }) => {
          const [, key, operations] = head(context) as readonly ['ask', string, readonly Operation[]];
          return { key, payload: { operations, actors: context.actors }, timeoutMs: DEADLINE_MS };
        },
        onDone: took as never,
        onError: took as never,
      },
    },
    waiting: { after: { wait: { target: 'next', actions: rest as never } } },
  },
});

const made = new Map<string, ActorDefinition>();

/** The definition with these limits; made once per process. */
export function clerk(snapshotEntries: number, mailboxDepth: number): ActorDefinition {
  const name = `${snapshotEntries} ${mailboxDepth}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const definition = defineActor({
    type: TYPE,
    version: 1,
    machine: machine as never,
    turn: 'reply',
    task: { deadlineMs: DEADLINE_MS },
    mailbox: { depthMax: mailboxDepth },
    effects: { once: { retry: 'never' } },
    snapshot: { everyEntries: snapshotEntries },
    history: { keepForMs: 0 },
  });
  made.set(name, definition);
  return definition;
}
