/**
 * The idempotency key of the effect that is running: what `effectId()` answers inside a custom
 * action or a promise. The owner installs a scope that survives `await`; without one, the key is
 * known during the synchronous part only.
 */
import { TroupeError } from '@troupe/wire';

export interface EffectScope {
  run<T>(effectId: string, call: () => T): T;
  get(): string | undefined;
}

let current: string | undefined;

const synchronousScope: EffectScope = {
  run(effectId, call) {
    const outer = current;
    current = effectId;
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
export function withEffectId<T>(effectId: string, call: () => T): T {
  return scope.run(effectId, call);
}

/**
 * The id of the running effect, `<type>/<key>@<seq>.<n>`: the same when it is run again after a
 * crash, so hand it to what you call as the idempotency key.
 *
 * @throws TroupeError `Internal` outside of an effect.
 * @example fromPromise(async ({ input }) => payments.charge(input, { idempotencyKey: effectId() }))
 */
export function effectId(): string {
  const id = scope.get();
  if (id === undefined)
    throw new TroupeError(
      'Internal',
      'effectId() was called outside of an effect. Call it inside a custom action or invoked logic, not in an assign or guard.',
    );
  return id;
}
