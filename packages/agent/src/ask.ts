/** `ask()`: another actor's turn, invoked like a promise. */
import { createEffectLogic } from '@troupe/core';
import { assertType } from '@troupe/wire';
import type { PromiseActorLogic } from 'xstate';
import type { AnyContract, ContractEvent, ContractInput, ContractOutput } from './contract.ts';

/** What an invoke of `ask()` logic takes as `input`. */
export interface AskInput<TPayload> {
  /** Which actor of the type. */
  readonly key: string;
  /** The task's input, or an event that the machine there takes. */
  readonly payload: TPayload;
  /** Then the ask fails with `AskTimeout`. Default 30,000, or `effects.<src>.timeoutMs`. */
  readonly timeoutMs?: number;
}

/** Logic that asks an actor behind a contract. */
export type AskLogic<TContract extends AnyContract> = PromiseActorLogic<
  ContractOutput<TContract>,
  AskInput<ContractInput<TContract> | ContractEvent<TContract>>
>;

/** Logic that asks an actor of which only the type is known. */
export type UntypedAskLogic = PromiseActorLogic<unknown, AskInput<unknown>>;

/**
 * Actor logic that sends a task to another actor and ends with its outcome. The asker doesn't wait in memory: the answer
 * is an entry in its journal, whoever dies meanwhile. An error of the other side arrives in `onError`; so do `AskTimeout`
 * and, where actors would wait for each other in a circle, `DeadlockError`.
 *
 * @example
 * setup({ actors: { expert: ask(expert) } }).createMachine({
 *   invoke: { src: 'expert', input: ({ context }) => ({ key: context.topic, payload: context.question }), onDone: 'told' },
 * });
 */
export function ask<TContract extends AnyContract>(contract: TContract): AskLogic<TContract>;
export function ask(type: string): UntypedAskLogic;
export function ask(target: AnyContract | string): UntypedAskLogic {
  const type = typeof target === 'string' ? target : target.type;
  assertType(type);
  return createEffectLogic<unknown, AskInput<unknown>>('ask', { type });
}
