/** `tell()`: an event for another actor, as an action. Evaluated in the step like a `sendTo`. */
import type {
  ActionArgs,
  ActionFunction,
  AnyMachineSnapshot,
  EventObject,
  MachineContext,
  ParameterizedObject,
} from 'xstate';
import type { MachineEvent } from './types.ts';

/** Whom to tell. */
export interface TellAddress {
  readonly type: string;
  readonly key: string;
}

/** What the driver reads of a tell action. */
export interface TellParams {
  readonly to: TellAddress;
  readonly event: MachineEvent;
  readonly delayMs: number | undefined;
}

/** A value, or how to make it from what an action sees. */
export type TellExpression<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ParameterizedObject['params'] | undefined,
  TEvent extends EventObject,
  TValue,
> = ((args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => TValue) | TValue;

interface TellActionFields {
  readonly to: unknown;
  readonly event: unknown;
  readonly delayMs: unknown;
}

/**
 * An action that sends an event to another actor, at its address. `delayMs` delays it. Works wherever actions do; in a
 * live actor outside Troupe it does nothing.
 *
 * @throws TypeError in the step, when the address or the event isn't one
 * @example createTellAction(({ context }) => ({ type: 'order', key: context.id }), { type: 'paid' })
 */
export function createTellAction<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ParameterizedObject['params'] | undefined,
  TEvent extends EventObject,
>(
  to: TellExpression<TContext, TExpressionEvent, TParams, TEvent, TellAddress>,
  event: TellExpression<TContext, TExpressionEvent, TParams, TEvent, EventObject>,
  options: { readonly delayMs?: TellExpression<TContext, TExpressionEvent, TParams, TEvent, number> } = {},
): ActionFunction<TContext, TExpressionEvent, TEvent, TParams, never, never, never, never, never> {
  const action = () => {};
  return Object.assign(action, {
    type: 'troupe.tell',
    to,
    event,
    delayMs: options.delayMs,
    resolve: resolveTell,
    execute: () => {},
  });
}

function resolveTell(
  _scope: unknown,
  snapshot: AnyMachineSnapshot,
  args: unknown,
  params: unknown,
  fields: TellActionFields,
): [AnyMachineSnapshot, TellParams, undefined] {
  const evaluate = (value: unknown): unknown => (typeof value === 'function' ? value(args, params) : value);
  const to = checkAddress(evaluate(fields.to));
  const event = checkEvent(evaluate(fields.event), to);
  return [snapshot, { to, event, delayMs: evaluate(fields.delayMs) as number | undefined }, undefined];
}

function checkAddress(to: unknown): TellAddress {
  const { type, key } = (to ?? {}) as Partial<TellAddress>;
  if (typeof type === 'string' && typeof key === 'string') return { type, key };
  throw new TypeError(`tell() got ${typeof to} as address: pass { type, key } of the actor.`);
}

function checkEvent(event: unknown, to: TellAddress): MachineEvent {
  if (typeof event === 'object' && event !== null && typeof (event as MachineEvent).type === 'string') {
    return event as MachineEvent;
  }
  throw new TypeError(
    `tell() to ${to.type}/${to.key} got ${typeof event} as event: pass an object with a string 'type'.`,
  );
}
