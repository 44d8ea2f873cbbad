/** `fail()`: a turn that ends with an error, as an action. */
import { createReplyAction } from '@troupe/core';
import { type AnyCode, isTroupeError, TroupeError } from '@troupe/wire';
import type { EventObject, MachineContext } from 'xstate';
import type { ActionParams, Expression, PlainAction } from './action-types.ts';

/** What went wrong: a sentence, an error, or a code of one's own with a sentence. */
export type FailReason =
  | string
  | Error
  | {
      /** Tells cases apart for the caller: `isTroupeError(error, 'CardDeclined')`. Default `Failed`. */
      readonly code?: AnyCode;
      readonly message: string;
      /** Plain data for programs, at most 8 KiB. */
      readonly details?: unknown;
    };

/**
 * Ends the turn with an error, which the caller gets as a `TroupeError`. Like `reply` in everything else.
 *
 * @example actions: fail(({ context }) => ({ code: 'CardDeclined', message: `Card ${context.last4} was declined.` }))
 */
export function fail<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends ActionParams,
  TEvent extends EventObject,
>(
  reason: Expression<TContext, TExpressionEvent, TParams, TEvent, FailReason>,
): PlainAction<TContext, TExpressionEvent, TParams, TEvent> {
  if (typeof reason !== 'function') return createReplyAction('fail', toError(reason));
  return createReplyAction<TContext, TExpressionEvent, TParams, TEvent, TroupeError>('fail', (args, params) =>
    toError(reason(args, params)),
  );
}

function toError(reason: FailReason): TroupeError {
  if (typeof reason === 'string') return new TroupeError('Failed', reason);
  if (isTroupeError(reason)) return reason;
  if (reason instanceof Error) return new TroupeError('Failed', reason.message, { cause: reason });
  return new TroupeError(reason.code ?? 'Failed', reason.message, { details: reason.details });
}
