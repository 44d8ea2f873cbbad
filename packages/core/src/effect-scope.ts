/**
 * What is known inside of an effect that runs: its idempotency key, and how to tell of its progress. `effectId()` and
 * `progress()` answer it inside a custom action or invoked logic. The owner installs a scope that survives `await`; without
 * one, it is known during the synchronous part only.
 */
import { TroupeError } from '@troupe/wire';

/** An effect that runs. */
export interface EffectContext {
  /** `<type>/<key>@<seq>.<n>`. */
  readonly effectId: string;
  /** Publishes a piece of progress. @returns false when it was left out. Absent where nobody could listen. */
  readonly progress?: ((chunk: unknown) => boolean) | undefined;
}

export interface EffectScope {
  run<T>(context: EffectContext, call: () => T): T;
  get(): EffectContext | undefined;
}

let current: EffectContext | undefined;

const synchronousScope: EffectScope = {
  run(context, call) {
    const outer = current;
    current = context;
    try {
      return call();
    } finally {
      current = outer;
    }
  },
  get: () => current,
};

let scope = synchronousScope;

/** Replaces the scope for the whole process; called once by the runtime. */
export function installEffectScope(installed: EffectScope): void {
  scope = installed;
}

/** Runs `call` as part of an effect. */
export function withEffectId<T>(effectId: string, call: () => T, progress?: EffectContext['progress']): T {
  return scope.run({ effectId, progress }, call);
}

/**
 * The id of the running effect, `<type>/<key>@<seq>.<n>`: the same when it is run again after a
 * crash, so hand it to what you call as the idempotency key.
 *
 * @throws TroupeError `Internal` outside of an effect.
 * @example fromPromise(async ({ input }) => payments.charge(input, { idempotencyKey: effectId() }))
 */
export function effectId(): string {
  const context = scope.get();
  if (context === undefined)
    throw new TroupeError(
      'Internal',
      'effectId() was called outside of an effect. Call it inside a custom action or invoked logic, not in an assign or guard.',
    );
  return context.effectId;
}

/**
 * Tells whoever listens how far the running turn is: tokens of a model, lines of a tool. Text goes as text, anything else as
 * JSON. Not durable and no part of the state: it is published once on `troupe.stream.<type>.<key>.<task id>`, and left out
 * when there is no connection, when the chunk is over 64 KiB, when the worker publishes more than it may, or once the turn has
 * ended. `ask(input, { onProgress })` receives it, and so does the event stream of the gateway.
 *
 * Call it in invoked logic, also after an `await`. Anywhere else, a live XState actor outside Troupe included, it does nothing.
 *
 * @returns whether it was published; nobody knows whether anybody listened.
 * @example
 * fromPromise(async ({ input }) => {
 *   let text = '';
 *   for await (const token of model.stream(input)) {
 *     text += token;
 *     progress(token);
 *   }
 *   return text;
 * })
 */
export function progress(chunk: unknown): boolean {
  return scope.get()?.progress?.(chunk) ?? false;
}
