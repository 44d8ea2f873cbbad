/**
 * Logic that only Troupe can run: asking another actor, calling a tool. To a machine it looks like a promise, so it can
 * stand in `setup({ actors })`, take `input`, and end in `onDone` or `onError`; the driver reports it with its own kind.
 */
import { fromPromise, type NonReducibleUnknown, type PromiseActorLogic } from 'xstate';

/** Who runs it: `ask` sends a task to another actor, `tool` calls a tool. */
export type EffectKind = 'ask' | 'tool';

/** What is known of an effect before it runs, for example the callee's type. Plain data: it is part of the hash. */
export type EffectMeta = Readonly<Record<string, unknown>>;

const EFFECT: unique symbol = Symbol.for('troupe.effect-logic') as never;

interface EffectMark {
  readonly kind: EffectKind;
  readonly meta: EffectMeta;
}

/**
 * Logic for `setup({ actors: { expert: createEffectLogic<Answer, Question>('ask', { type: 'expert' }) } })`, typed like
 * a promise with that output and input. In a live XState actor outside Troupe it rejects, saying so.
 */
export function createEffectLogic<TOutput, TInput = NonReducibleUnknown>(
  kind: EffectKind,
  meta: EffectMeta = {},
): PromiseActorLogic<TOutput, TInput> {
  const logic = fromPromise<TOutput, TInput>(() =>
    Promise.reject(
      new Error(
        `'${kind}' logic ${JSON.stringify(meta)} runs only inside Troupe. Define the machine as an agent, or provide() a stand-in for it.`,
      ),
    ),
  );
  Object.defineProperty(logic, EFFECT, { value: { kind, meta } satisfies EffectMark, enumerable: true });
  return logic;
}

/** The kind of an effect logic; `undefined` for any other logic. */
export function effectKind(logic: unknown): EffectKind | undefined {
  return markOf(logic)?.kind;
}

/** What `createEffectLogic` was given as `meta`; `undefined` for any other logic. */
export function effectMeta(logic: unknown): EffectMeta | undefined {
  return markOf(logic)?.meta;
}

function markOf(logic: unknown): EffectMark | undefined {
  if (typeof logic !== 'object' || logic === null) return undefined;
  return (logic as { [EFFECT]?: EffectMark })[EFFECT];
}
