/**
 * What a step wants done, as data. The owner performs effects only after the entry that caused
 * them is stored, in this order per actor; `id` is `<seq>.<n>` within the actor, the same on every
 * replay, and `effectIdOf` makes it global.
 */
import type { ActorAddress, ContentType, FailureRecord, Outcome, TraceContext } from '@troupe/wire';
import { formatAddress } from '@troupe/wire';
import type { ActionHost, MachineEvent } from './machine/types.ts';

/** What every effect has. */
export interface EffectBase {
  /** `<seq>.<n>`, unique in the actor for ever. */
  readonly id: string;
}

/** The end of a turn: answered to whoever waits, and published on the actor's out subject. */
export interface ReplyEffect extends EffectBase {
  readonly kind: 'reply';
  readonly replyTo: readonly string[];
  readonly taskId: string;
  readonly turnSeq: number;
  readonly outcome: Outcome;
  readonly contentType: ContentType;
  /** A repeat of an outcome that was given before: answered, but not published again. */
  readonly repeat: boolean;
  readonly trace: TraceContext | undefined;
}

/** The end of a turn that another actor asked for: an entry in its journal. */
export interface AnswerEffect extends EffectBase {
  readonly kind: 'answer';
  readonly to: ActorAddress;
  /** Global id of the asker's effect. */
  readonly effectId: string;
  readonly outcome: Outcome;
}

export interface AskEffect extends EffectBase {
  readonly kind: 'ask';
  readonly to: ActorAddress;
  readonly payload: unknown;
  readonly causedAt: number;
  readonly deadlineAt: number;
  readonly chain: readonly ActorAddress[];
  readonly trace: TraceContext | undefined;
}

export interface SendEffect extends EffectBase {
  readonly kind: 'send';
  readonly to: ActorAddress;
  readonly event: MachineEvent;
  readonly causedAt: number;
  readonly trace: TraceContext | undefined;
}

/** A child that runs outside the step, until its outcome is an entry. */
export interface InvokeEffect extends EffectBase {
  readonly kind: 'invoke';
}

/** The owner stops a running child; its outcome no longer counts. */
export interface CancelEffect extends EffectBase {
  readonly kind: 'cancel';
  readonly effectId: string;
}

export interface ChildEventEffect extends EffectBase {
  readonly kind: 'child-event';
  readonly effectId: string;
  readonly event: MachineEvent;
}

export interface EmitEffect extends EffectBase {
  readonly kind: 'emit';
  readonly event: MachineEvent;
}

export interface LogEffect extends EffectBase {
  readonly kind: 'log';
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly value?: unknown;
}

/** A custom action function, run at least once, in order per actor. */
export interface ActionEffect extends EffectBase {
  readonly kind: 'action';
  readonly type: string;
  readonly run: (host: ActionHost) => void;
}

/** The entry could not be applied; the owner keeps its original bytes with the reason. */
export interface DeadLetterEffect extends EffectBase {
  readonly kind: 'dead-letter';
  readonly seq: number;
  readonly error: FailureRecord;
}

export type Effect =
  | ReplyEffect
  | AnswerEffect
  | AskEffect
  | SendEffect
  | InvokeEffect
  | CancelEffect
  | ChildEventEffect
  | EmitEffect
  | LogEffect
  | ActionEffect
  | DeadLetterEffect;

/**
 * The global id of an effect: `<type>/<key>@<seq>.<n>`. Carried by what the effect publishes and
 * handed to tools as the idempotency key.
 * @example effectIdOf({ type: 'order', key: '42' }, '17.0') // 'order/42@17.0'
 */
export function effectIdOf(address: ActorAddress, id: string): string {
  return `${formatAddress(address)}@${id}`;
}

/** The parts of a global effect id, or undefined when it isn't one. */
export function parseEffectId(
  effectId: string,
): { readonly actor: string; readonly seq: number; readonly n: number } | undefined {
  const match = /^(.*)@(\d{1,16})\.(\d{1,9})$/s.exec(effectId);
  return match ? { actor: match[1]!, seq: Number(match[2]), n: Number(match[3]) } : undefined;
}
