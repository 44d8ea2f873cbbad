/** `tell()`: an event for another actor, as an action. */
import { createTellAction } from '@troupe/core';
import { assertType } from '@troupe/wire';
import type { ActionArgs, EventObject, MachineContext } from 'xstate';
import type { ActionParams, Expression, PlainAction } from './action-types.ts';
import type { AnyContract, ContractEvent } from './contract.ts';

/** Any event, where no contract says which. */
export interface AnyEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** When it goes out. */
export interface TellOptions<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
> {
  /** Sent so much later, ms; the wait survives restarts. Default: at once. */
  readonly delayMs?: Expression<TContext, TExpressionEvent, TParams, TEvent, number>;
}

/** What `tell` can be given as its target's events. */
export type TellEvent<TTarget extends AnyContract | string> = TTarget extends AnyContract
  ? ContractEvent<TTarget>
  : AnyEvent;

/**
 * Sends an event to another actor: durably, exactly once, in order per receiver. Nobody waits for it; it is applied at
 * once there, also while a turn is open. In a live XState actor outside Troupe it does nothing.
 *
 * @example actions: tell(support, ({ context }) => context.customer, { type: 'approve', by: 'ann' })
 */
export function tell<
  TTarget extends AnyContract | string,
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
>(
  target: TTarget,
  key: Expression<TContext, TExpressionEvent, TParams, TEvent, string>,
  event: Expression<TContext, TExpressionEvent, TParams, TEvent, TellEvent<TTarget>>,
  options: TellOptions<TContext, TExpressionEvent, TParams, TEvent> = {},
): PlainAction<TContext, TExpressionEvent, TParams, TEvent> {
  const type = typeof target === 'string' ? target : target.type;
  assertType(type);
  return createTellAction<TContext, TExpressionEvent, TParams, TEvent>(
    (args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => ({
      type,
      key: typeof key === 'function' ? key(args, params) : key,
    }),
    event as Expression<TContext, TExpressionEvent, TParams, TEvent, EventObject>,
    options,
  );
}
