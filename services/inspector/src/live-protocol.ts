/**
 * What page and gateway say to each other on `/v1/live`: JSON text frames.
 *
 * The page asks `{ id, op, args }` and gets `{ id, ok: true, value }` or `{ id, ok: false, error }`; what it asked to be told
 * comes by itself as `{ push, ... }`.
 */
import type { EffectObservation, MachineStructure, ObservedState, StepFacts } from '@troupe/wire';

/** Where the gateway serves it. */
export const LIVE_PATH = '/v1/live';

/** A row of the list of actors. */
export interface ActorRow {
  /** `<type>/<key>` */
  readonly actor: string;
  readonly type: string;
  readonly key: string;
  /** `active`, `done`, `error`, `stopped`, `suspended`; undefined while nobody has it in memory. */
  readonly status?: string | undefined;
  readonly value?: unknown;
  /** Sequence of its last entry, as far as known. */
  readonly seq?: number | undefined;
  /** Time of that entry, Unix ms. */
  readonly at?: number | undefined;
  /** Since when its turn is open, Unix ms. */
  readonly turnSince?: number | undefined;
  /** Inputs that wait. */
  readonly waiting?: number | undefined;
  /** Effects that run. */
  readonly running?: number | undefined;
  /** Turns ended. */
  readonly turns?: number | undefined;
  /** Failed turns and refused entries seen since the gateway looked. */
  readonly errors: number;
  readonly lastError?: string | undefined;
}

/** A state without its context, which is asked for when it is looked at. */
export type LiveState = Omit<ObservedState, 'context' | 'contextBytes' | 'output'>;

/** A step as rows of the timeline need it. */
export interface LiveStep extends Omit<StepFacts, 'before' | 'after' | 'actor' | 'trace'> {
  readonly before: Pick<ObservedState, 'status' | 'value'>;
  readonly after: LiveState;
  /** How long it took, microseconds; only of one seen live. */
  readonly stepUs?: number | undefined;
}

/** What became of an effect, as its owner told it. */
export type LiveEffect = Pick<
  EffectObservation,
  'phase' | 'effectId' | 'seq' | 'src' | 'attempt' | 'durationMs' | 'ok' | 'error' | 'observedAt'
>;

/** A difference between two states. */
export interface LiveChange {
  readonly path: readonly (string | number)[];
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A step with all that belongs to it. */
export interface FullStep {
  readonly step: LiveStep;
  /** As a query would have answered then. */
  readonly state: unknown;
  /** Against the state before. */
  readonly changes: readonly LiveChange[];
  /** Inputs that wait, in the order in which they are tried; the first 200. */
  readonly stash: readonly LiveStashed[];
}

/** An input that waits, as the state stores it. */
export interface LiveStashed {
  readonly seq: number;
  readonly kind: 'task' | 'signal';
  readonly taskId: string;
  /** When it was accepted, and when it ends unanswered, Unix ms. */
  readonly at: number;
  readonly deadlineAt: number;
  readonly bytes: number;
  /** Whole, up to 16 KiB; of a larger one its type alone. */
  readonly event: { readonly type: string };
  readonly cut: boolean;
}

/** What is kept of an actor's history. */
export interface LiveSpan {
  /** First step that can be shown. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly snapshots: readonly number[];
}

export interface LiveMessage {
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  readonly kind: string;
  readonly label: string;
  readonly ok?: boolean | undefined;
}

/** All that one cause led to, between actors. */
export interface LiveSequence {
  readonly correlation: string;
  /** Actors, in the order in which they came in. */
  readonly lanes: readonly string[];
  readonly messages: readonly LiveMessage[];
  /** There was more than is given. */
  readonly truncated: boolean;
}

export interface LiveHello {
  readonly name: string;
  readonly role: 'read' | 'operate';
  readonly prefix: string;
}

/** Every question: its arguments and its answer. `send` needs the role `operate`, all others `read`. */
export interface LiveOps {
  readonly hello: { readonly args: object; readonly value: LiveHello };
  /** From now on, `actors` is pushed; the first push is the whole list. */
  readonly watchActors: { readonly args: object; readonly value: null };
  /** `steps` of this actor are pushed, or no longer. */
  readonly watchActor: { readonly args: { readonly actor: string; readonly on: boolean }; readonly value: null };
  readonly structure: { readonly args: { readonly type: string }; readonly value: MachineStructure };
  readonly span: { readonly args: { readonly actor: string }; readonly value: LiveSpan };
  /** Oldest first. `last`: only so many, the newest of the range. */
  readonly steps: {
    readonly args: {
      readonly actor: string;
      readonly fromSeq?: number;
      readonly toSeq?: number;
      readonly last?: number;
    };
    readonly value: { readonly steps: readonly LiveStep[] };
  };
  readonly step: { readonly args: { readonly actor: string; readonly seq: number }; readonly value: FullStep };
  /** The state now, as a query answers it. */
  readonly state: { readonly args: { readonly actor: string }; readonly value: unknown };
  readonly correlate: { readonly args: { readonly actor: string; readonly seq: number }; readonly value: LiveSequence };
  readonly send: {
    readonly args: { readonly actor: string; readonly kind: 'task' | 'signal'; readonly input: unknown };
    readonly value: { readonly taskId: string; readonly seq: number };
  };
}

export type LiveOp = keyof LiveOps;

export interface LiveRequest<O extends LiveOp = LiveOp> {
  readonly id: number;
  readonly op: O;
  readonly args: LiveOps[O]['args'];
}

export interface LiveError {
  readonly code: string;
  readonly message: string;
}

export type LiveAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: LiveError };

export interface ActorsPush {
  readonly push: 'actors';
  /** True for the first part of a whole list, which replaces what was known. */
  readonly whole?: boolean;
  readonly rows: readonly ActorRow[];
  readonly gone: readonly string[];
}

export interface StepsPush {
  readonly push: 'steps';
  readonly actor: string;
  readonly steps: readonly LiveStep[];
  readonly effects: readonly LiveEffect[];
  /** True when steps were left out: what is missing is in the history. */
  readonly gap: boolean;
}

export type LivePush = ActorsPush | StepsPush;
export type LiveFrame = LiveAnswer | LivePush;
