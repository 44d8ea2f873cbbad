/**
 * What workers tell while somebody watches. On `<prefix>.inspect.<type>.<key>` travel Stately's three inspection events as
 * JSON; what only Troupe knows rides along in the field `troupe` of `@xstate.snapshot`.
 */
import type { EntryBody, TraceContext } from './record.ts';
import type { NodeKind } from './structure.ts';
import { decodeUtf8 } from './utf8.ts';

/** Version stamped into the inspection events (`_version`): that of the `@statelyai/inspect` they are made for. */
export const INSPECTION_VERSION = '0.7.2';

/** A context larger than this is left out of observations, bytes of JSON. Ask for the state instead. */
export const OBSERVED_CONTEXT_BYTES_MAX = 32_768;

/** An event or an output larger than this is cut down to its type, bytes of JSON. */
export const OBSERVED_EVENT_BYTES_MAX = 8_192;

/** A child of an actor, as observed. */
export interface ObservedChild {
  readonly src: string;
  readonly kind: NodeKind;
  readonly status: string;
  /** State value of a machine. */
  readonly value?: unknown;
}

/** A state, as observed. */
export interface ObservedState {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value?: unknown;
  /** Absent when it is too large, or where only the value matters. */
  readonly context?: unknown;
  /** Size of the context when it was left out, bytes of JSON. */
  readonly contextBytes?: number;
  readonly output?: unknown;
  readonly tags: readonly string[];
  /** By path. */
  readonly children: Readonly<Record<string, ObservedChild>>;
}

/** A transition that was taken, in order. */
export interface TakenTransition {
  /** As in the machine's structure: `<source id>|<event>|<n>`. */
  readonly id: string;
  /** Path of the node whose machine took it; `''` is the actor's own. */
  readonly path: string;
  /** Id of the state it left from. */
  readonly source: string;
  /** Ids of the states it named; none when it stays. */
  readonly targets: readonly string[];
  /** Type of the event that made it. */
  readonly event: string;
}

/** The entry that a step applied, in short. */
export interface ObservedEntry {
  readonly kind: EntryBody['kind'];
  /** What the machine got to see, where the entry says so. */
  readonly event?: { readonly type: string; readonly [field: string]: unknown };
  readonly taskId?: string;
  /** Global id of the effect that it is the outcome, the item or the message of. */
  readonly effectId?: string;
  /** `<type>/<key>` of the actor that sent it. */
  readonly from?: string;
  /** Of an outcome: whether it succeeded. */
  readonly ok?: boolean;
  /** As stored. */
  readonly bytes: number;
}

/** Something that a step wants done. */
export interface ObservedEffect {
  /** `<seq>.<n>` within the actor. */
  readonly id: string;
  readonly kind: string;
  /** Of an invoke: its name under `setup({ actors })`. */
  readonly src?: string;
  /** Of an ask, a message or an answer: `<type>/<key>` of the receiver. */
  readonly to?: string;
  /** Type of the event sent or emitted; name of the action. */
  readonly name?: string;
  /** Of an answer: global id of the asker's effect. Of a cancel: the effect that was cancelled. */
  readonly effectId?: string;
  readonly ok?: boolean;
}

export interface ObservedFailure {
  readonly code: string;
  readonly message: string;
}

/** A turn that is open. */
export interface ObservedTurn {
  readonly seq: number;
  readonly taskId: string;
  /** Unix ms. */
  readonly openedAt: number;
  readonly deadlineAt: number;
}

/** A turn that ended in this step. */
export interface EndedTurn {
  readonly seq: number;
  readonly taskId: string;
  readonly ok: boolean;
  /** Of an error. */
  readonly code?: string;
  /** From its opening, by the journal's clock, ms. */
  readonly durationMs: number;
}

/** What a step was, wherever it is computed: by the owner, or later from the journal. */
export interface StepFacts {
  /** `<type>/<key>` */
  readonly actor: string;
  readonly seq: number;
  /** The journal's time of the entry, Unix ms. */
  readonly at: number;
  readonly entry: ObservedEntry;
  readonly before: ObservedState;
  readonly after: ObservedState;
  readonly transitions: readonly TakenTransition[];
  readonly effects: readonly ObservedEffect[];
  /** Global id of the open effect that this entry ended. */
  readonly settled?: string;
  /** Open after the step. */
  readonly turn?: ObservedTurn;
  readonly ended: readonly EndedTurn[];
  /** Why the entry was refused, or the step failed: it is a dead letter then. */
  readonly error?: ObservedFailure;
  /** One id for everything that one cause led to, across actors: 32 hexadecimal digits. */
  readonly correlation: string;
  readonly trace?: TraceContext;
  /** Inputs that wait. */
  readonly waiting: number;
  /** Open effects. */
  readonly running: number;
  readonly timers: number;
  /** Entries folded since the beginning. */
  readonly count: number;
  /** Turns ended since the beginning. */
  readonly turns: number;
  readonly version: number;
}

/** Who saw it. */
export interface Observed {
  readonly worker: string;
  readonly partition: number;
  /** The worker's clock, Unix ms. */
  readonly observedAt: number;
  /** Observations that this worker has dropped since it started. */
  readonly dropped: number;
}

export interface StepObservation extends StepFacts, Observed {
  readonly kind: 'step';
  /** How long the step took, microseconds. */
  readonly stepUs: number;
}

/** The owner begins, repeats or ends an effect. */
export interface EffectObservation extends Observed {
  readonly kind: 'effect';
  readonly actor: string;
  readonly phase: 'started' | 'retrying' | 'ended';
  /** Global id. */
  readonly effectId: string;
  /** Of the entry that caused it. */
  readonly seq: number;
  readonly src: string;
  readonly invoke: NodeKind;
  /** Path of the child. */
  readonly path: string;
  /** Turn it belongs to; 0 for none. */
  readonly turn: number;
  /** From 1. */
  readonly attempt: number;
  /** From its first start, ms. */
  readonly durationMs?: number;
  readonly ok?: boolean;
  readonly error?: ObservedFailure;
}

/** Sent once after steps of an actor were dropped: where it stands now. */
export interface StateObservation
  extends Observed,
    Pick<
      StepFacts,
      'actor' | 'seq' | 'at' | 'after' | 'turn' | 'waiting' | 'running' | 'timers' | 'count' | 'turns' | 'version'
    > {
  readonly kind: 'state';
}

export type Observation = StepObservation | EffectObservation | StateObservation;

/** What Stately's events have in common. */
export interface InspectionBase {
  /** Of the actor; its children have `<type>/<key>#<path>` as their session. */
  readonly rootId: string;
  readonly sessionId: string;
  /** Unix ms, as text. */
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
}

export interface InspectedSnapshot {
  readonly status: string;
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
}

export interface InspectionActorEvent extends InspectionBase {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly snapshot: InspectedSnapshot;
  /** The machine's definition as JSON text. */
  readonly definition?: string;
  readonly parentId?: string;
}

export interface InspectionEventEvent extends InspectionBase {
  readonly type: '@xstate.event';
  readonly event: { readonly type: string };
  readonly sourceId?: string;
}

export interface InspectionSnapshotEvent extends InspectionBase {
  readonly type: '@xstate.snapshot';
  readonly event: { readonly type: string };
  readonly snapshot: InspectedSnapshot;
  readonly troupe?: Observation;
}

/** What travels on the inspect subjects. */
export type InspectionEvent = InspectionActorEvent | InspectionEventEvent | InspectionSnapshotEvent;

/** An inspection event from the bus; undefined when it is none. Never throws. */
export function decodeInspection(payload: Uint8Array): InspectionEvent | undefined {
  try {
    const value = JSON.parse(decodeUtf8(payload) ?? 'null') as { readonly type?: unknown } | null;
    return typeof value?.type === 'string' && value.type.startsWith('@xstate.')
      ? (value as InspectionEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The observation in a message from the bus; undefined for one that carries none. Never throws.
 *
 * @example bus.subscribe('troupe.inspect.>', {}, ({ payload }) => show(decodeObservation(payload)));
 */
export function decodeObservation(payload: Uint8Array): Observation | undefined {
  const event = decodeInspection(payload);
  return event?.type === '@xstate.snapshot' ? observationOf(event) : undefined;
}

/** Entries whose event is what the machine got to see, said once in a message: where Stately expects it. */
const WITH_EVENT: ReadonlySet<string> = new Set([
  'task',
  'signal',
  'ask',
  'message',
  'self',
  'redrive',
  'outcome',
  'stream',
]);

function observationOf({ event, snapshot, troupe }: InspectionSnapshotEvent): Observation | undefined {
  if (troupe === undefined || troupe.kind === 'effect') return troupe;
  const after = {
    ...troupe.after,
    ...(snapshot.context === undefined ? {} : { context: snapshot.context }),
    ...(snapshot.output === undefined ? {} : { output: snapshot.output }),
  };
  if (troupe.kind === 'state') return { ...troupe, after };
  const { entry } = troupe;
  return { ...troupe, after, entry: WITH_EVENT.has(entry.kind) ? { ...entry, event } : entry };
}
