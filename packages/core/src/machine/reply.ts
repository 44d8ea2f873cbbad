/**
 * `reply()` and `fail()`: the outcome of a turn, as actions. They are actions of the same make as XState's `emit`: the
 * expression is evaluated in the step, at the action's place in its list, and sees what earlier assigns did.
 */
import type {
  ActionArgs,
  ActionFunction,
  AnyMachineSnapshot,
  EventObject,
  MachineContext,
  NonReducibleUnknown,
  ParameterizedObject,
} from 'xstate';

/** Whether the turn ends well or with an error. */
export type ReplyKind = 'reply' | 'fail';

/** What the driver reads of a reply action. */
export interface ReplyParams {
  readonly kind: ReplyKind;
  readonly value: unknown;
}

/** A value, or how to make it from what an action sees. */
export type ReplyExpression<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ParameterizedObject['params'] | undefined,
  TEvent extends EventObject,
  TValue,
> = ((args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => TValue) | TValue;

const REPLY = Symbol.for('troupe.reply-action');

interface ReplyActionFields {
  readonly kind: ReplyKind;
  readonly value: unknown;
}

/**
 * An action that ends the turn with a value (`reply`) or an error (`fail`). Works in `actions`, by name through
 * `setup({ actions })`, and in `enqueue(...)`. In a live actor outside Troupe it does nothing. An expression that throws
 * fails the step.
 *
 * @example actions: [assign({ n: 1 }), createReplyAction('reply', ({ context }) => context.n)]
 */
export function createReplyAction<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ParameterizedObject['params'] | undefined,
  TEvent extends EventObject,
  TValue extends NonReducibleUnknown = NonReducibleUnknown,
>(
  kind: ReplyKind,
  value: ReplyExpression<TContext, TExpressionEvent, TParams, TEvent, TValue>,
): ActionFunction<TContext, TExpressionEvent, TEvent, TParams, never, never, never, never, never> {
  const action = () => {};
  return Object.assign(action, {
    [REPLY]: kind,
    type: 'troupe.reply',
    kind,
    value,
    resolve: resolveReply,
    execute: () => {},
  });
}

/** `reply` or `fail` for an action made by `createReplyAction`; `undefined` for anything else. */
export function replyKind(action: unknown): ReplyKind | undefined {
  if (typeof action !== 'function') return undefined;
  return (action as { [REPLY]?: ReplyKind })[REPLY];
}

function resolveReply(
  _scope: unknown,
  snapshot: AnyMachineSnapshot,
  args: unknown,
  params: unknown,
  { kind, value }: ReplyActionFields,
): [AnyMachineSnapshot, ReplyParams, undefined] {
  const resolved: unknown = typeof value === 'function' ? value(args, params) : value;
  return [snapshot, { kind, value: resolved }, undefined];
}
