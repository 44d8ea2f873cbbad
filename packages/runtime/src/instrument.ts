/**
 * Where logs, traces and profiles look on: told of every step and effect of the actors it wants, in the owner's own thread.
 * Without one, a step reads one boolean (`Observer.active`) and nothing else happens.
 */
import type { ActorDefinition, ActorState, Effect } from '@troupe/core';
import type { ActorAddress, EffectObservation, JournalEntry, Observed } from '@troupe/wire';

/** An effect that began, is repeated or ended. */
export type EffectNotice = Omit<EffectObservation, 'kind' | 'actor' | keyof Observed>;

/** Whose effect it is. */
export interface InstrumentedActor {
  readonly address: ActorAddress;
  readonly definition: ActorDefinition;
  readonly partition: number;
  readonly state: ActorState | undefined;
}

/** One step, live and not replayed. */
export interface StepNotice {
  readonly address: ActorAddress;
  readonly definition: ActorDefinition;
  readonly partition: number;
  readonly entry: JournalEntry;
  readonly before: ActorState;
  /** Undefined when it threw. */
  readonly after: ActorState | undefined;
  readonly effects: readonly Effect[];
  readonly error?: unknown;
  readonly durationMs: number;
}

/** Never throws: what it does must not reach the work it looks at. */
export interface Instrument {
  /** Asked before every step and effect: false costs nothing more. */
  wants(type: string): boolean;
  /** Runs the step; for a profiler that wants a frame of its own on the stack. */
  around?<T>(type: string, call: () => T): T;
  /** About to be stepped. */
  stepping?(address: ActorAddress, entry: JournalEntry, before: ActorState, partition: number): void;
  stepped(notice: StepNotice): void;
  effect(actor: InstrumentedActor, notice: EffectNotice): void;
}
