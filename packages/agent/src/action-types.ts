/** How XState's typed actions look, in one place. */
import type {
  ActionArgs,
  ActionFunction,
  EventObject,
  MachineContext,
  NonReducibleUnknown,
  ParameterizedObject,
} from 'xstate';

/** `params` of a parameterised action. */
export type ActionParams = ParameterizedObject['params'] | undefined;

/** Anything at all, but in a union with a function it still tells the function's parameters. */
export type AnyValue = NonReducibleUnknown;

/** A value, or how to make it from what an action sees. */
export type Expression<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
  TValue,
> = ((args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => TValue) | TValue;

/** An action that starts nothing, raises nothing and emits nothing. */
export type PlainAction<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
> = ActionFunction<TContext, TExpressionEvent, TEvent, TParams, never, never, never, never, never>;
