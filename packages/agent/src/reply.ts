/** `reply()`: the outcome of a turn, as an action. */
import { createReplyAction } from '@troupe/core';
import type { EventObject, MachineContext } from 'xstate';
import type { ActionParams, AnyValue, Expression, PlainAction } from './action-types.ts';

/**
 * Ends the turn with an output, which goes to whoever waits. The expression is evaluated in the step, at its place in
 * the list of actions, so it sees what earlier assigns did. Only the turn in whose name the step runs is ended: a late
 * reply is dropped and logged. In a live XState actor outside Troupe it does nothing.
 *
 * With a contract use its own `reply`, which checks the type of the output.
 *
 * @example actions: [assign({ name: 'Ann' }), reply(({ context }) => `Hello ${context.name}.`)]
 */
export function reply<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
>(
  output: Expression<TContext, TExpressionEvent, TParams, TEvent, AnyValue>,
): PlainAction<TContext, TExpressionEvent, TParams, TEvent> {
  return createReplyAction('reply', output);
}
