/**
 * An actor's whole state. Immutable: a step returns another one. Everything here is either plain
 * data or has a stored form (`stored-state.ts`).
 */
import type { ActorAddress, ContentType, Outcome, TraceContext } from '@troupe/wire';
import type { InvokeKind, MachineEvent, MachineState } from './machine/types.ts';
import { PersistentMap } from './persistent-map.ts';
import { TaskMemory } from './task-memory.ts';

/** Who waits for a turn's outcome. */
export type TurnOrigin =
  | {
      readonly kind: 'client';
      /** Reply addresses, one per repeat of the task, at most eight. */
      readonly replyTo: readonly string[];
      readonly contentType: ContentType;
      /** Hash of the task id when the client named it. */
      readonly memoryId: number | undefined;
    }
  | {
      readonly kind: 'actor';
      readonly from: ActorAddress;
      /** Global id of the asker's effect. */
      readonly effectId: string;
      readonly chain: readonly ActorAddress[];
    };

/** What a turn goes back to when an error that nobody handles ends it. */
export interface TurnStart {
  readonly machine: MachineState;
  readonly effects: PersistentMap<OpenEffect>;
  readonly timers: PersistentMap<PendingTimer>;
}

export interface OpenTurn {
  /** Sequence of the entry that opened it: the turn's id. */
  readonly seq: number;
  readonly taskId: string;
  readonly openedAt: number;
  readonly deadlineAt: number;
  readonly origin: TurnOrigin;
  readonly trace: TraceContext | undefined;
  /** Kept while only this turn's own entries were applied since it opened; else undefined. */
  readonly start: TurnStart | undefined;
}

/** A task or signal that has to wait. */
export interface StashedInput {
  readonly kind: 'task' | 'signal';
  readonly seq: number;
  readonly taskId: string;
  readonly at: number;
  readonly event: MachineEvent;
  readonly bytes: number;
  readonly deadlineAt: number;
  readonly origin: TurnOrigin | undefined;
  readonly trace: TraceContext | undefined;
}

/** An effect that has begun and whose outcome is awaited. */
export interface OpenEffect {
  /** `<seq>.<n>`. */
  readonly id: string;
  readonly kind: InvokeKind;
  readonly childPath: string;
  readonly src: string;
  readonly input: unknown;
  /** Turn it was opened in; 0 for none. */
  readonly turn: number;
  readonly openedAt: number;
  /** Asks only: when they time out, Unix ms. */
  readonly deadlineAt: number | undefined;
  /** `retry: 'never'`: nobody starts it without the first journaled claim (R11). */
  readonly once: boolean;
  readonly claim: { readonly epoch: number; readonly worker: string } | undefined;
  /** Streaming effects: the highest run seen and the last item accepted of it. */
  readonly run: number;
  readonly n: number;
}

export interface PendingTimer {
  /** `<seq>.<n>`: also decides the order of timers due at the same time. */
  readonly id: string;
  readonly dueAt: number;
  readonly turn: number;
  readonly path: string;
  readonly timerKey: string;
  readonly event: MachineEvent;
  readonly target:
    | { readonly kind: 'node'; readonly path: string }
    | { readonly kind: 'actor'; readonly address: ActorAddress };
}

/** Highest message of one sender that was applied (R9), forgotten at `until` (R10). */
export interface SenderMark {
  readonly seq: number;
  readonly n: number;
  readonly until: number;
}

/** How the turn opened by the unnamed task at `seq` ended. */
export interface RecentOutcome {
  readonly seq: number;
  readonly outcome: Outcome;
}

/** Outcomes of unnamed tasks that are kept. */
export const RECENT_MAX = 16;

export interface ActorState {
  readonly address: ActorAddress;
  readonly version: number;
  readonly hash: string;
  /** Last applied entry; 0 before the first. */
  readonly seq: number;
  /** `max(previous now, entry.at)`, Unix ms. */
  readonly now: number;
  /** Entries folded since the beginning. */
  readonly count: number;
  /** Undefined until the first entry that initialises the machine. */
  readonly machine: MachineState | undefined;
  readonly turn: OpenTurn | undefined;
  readonly stash: readonly StashedInput[];
  readonly stashBytes: number;
  readonly effects: PersistentMap<OpenEffect>;
  readonly timers: PersistentMap<PendingTimer>;
  readonly tasks: TaskMemory;
  readonly senders: PersistentMap<SenderMark>;
  /** Dead letters that were applied again, so that each is accepted once. */
  readonly redriven: readonly number[];
  /** Turns ended, for operators. */
  readonly turns: number;
  /** Time of the last task, signal, ask or message, Unix ms: `expireAfterMs` counts from it. */
  readonly activeAt: number;
  /** Earliest time at which something fires by itself, Unix ms; Infinity for never. */
  readonly nextDueAt: number;
  /** The last outcomes of tasks without an id, newest last, at most `RECENT_MAX`: for `query outcome`. */
  readonly recent: readonly RecentOutcome[];
}

/** The state of an actor that has no entries yet. */
export function emptyState(address: ActorAddress, version: number, hash: string): ActorState {
  return {
    address,
    version,
    hash,
    seq: 0,
    now: 0,
    count: 0,
    machine: undefined,
    turn: undefined,
    stash: [],
    stashBytes: 0,
    effects: PersistentMap.empty(),
    timers: PersistentMap.empty(),
    tasks: TaskMemory.empty(),
    senders: PersistentMap.empty(),
    redriven: [],
    turns: 0,
    activeAt: 0,
    nextDueAt: Number.POSITIVE_INFINITY,
    recent: [],
  };
}
