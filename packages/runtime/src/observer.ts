/**
 * Tells whoever watches what this worker does, and never at the expense of the work.
 *
 * Invariants
 * 1. While nobody watches, the hot path reads one boolean (`active`) and nothing else happens.
 * 2. Observing changes nothing: the step is the same, its result is only looked at.
 * 3. At most `QUEUE_MAX` observations wait; more are dropped and counted. They are written out every `FLUSH_EVERY_MS` for
 *    at most `FLUSH_MS_MAX` of this thread's time.
 * 4. Whoever's steps were dropped gets one `state` observation once there is room, so that nobody looks at a stale state.
 * 5. A watch is a lease: nobody who has gone is observed for.
 * 6. Instruments (logs, traces, profiles) see a step as it was done, and none that is only replayed; any number look on at once.
 */
import {
  type ActorDefinition,
  type ActorState,
  observeState,
  observeTurn,
  recordTransitions,
  type StepRecord,
  type StepResult,
  step,
  stepFacts,
} from '@troupe/core';
import {
  type ActorAddress,
  formatAddress,
  type JournalEntry,
  type Observed,
  type StateObservation,
  type Subjects,
} from '@troupe/wire';
import { actorEvent, definitionText, effectEvent, stateEvent, stepEvents } from './inspection-events.ts';
import type { EffectNotice, Instrument, StepNotice } from './instrument.ts';
import type { BusPort, Clock, Timer } from './ports.ts';

/** Observations that may wait: about a fifth of a second's worth at full speed, so that what is seen is fresh. */
export const QUEUE_MAX = 512;
/** How long observations are collected before they are written out, ms. */
export const FLUSH_EVERY_MS = 20;
/** Time spent writing out at once, ms: one part in twenty. */
export const FLUSH_MS_MAX = 1;
/** Watchers at once. */
export const WATCHERS_MAX = 64;
/** Lease of a watch, ms. */
export const WATCH_TTL_MS_MIN = 1_000;
export const WATCH_TTL_MS_MAX = 60_000;
/** Actors that have been introduced to the watchers, or that owe them a state; beyond, they are introduced again. */
const ACTORS_MAX = 10_000;

/** An actor as the observer needs it. */
export interface ObservedActor {
  readonly address: ActorAddress;
  readonly definition: ActorDefinition;
  readonly partition: number;
  readonly state: ActorState | undefined;
}

/** What somebody wants to see; everything without `actors` and `types`. */
export interface Watch {
  readonly watcher: string;
  readonly ttlMs: number;
  /** `<type>/<key>` */
  readonly actors?: readonly string[];
  readonly types?: readonly string[];
}

export interface ObserverHost {
  readonly workerId: string;
  readonly bus: BusPort;
  readonly clock: Clock;
  readonly subjects: Subjects;
}

interface Watching extends Watch {
  readonly untilMs: number;
}

type Waiting =
  | {
      readonly kind: 'step';
      readonly actor: ObservedActor;
      readonly record: StepRecord;
      readonly stepUs: number;
      readonly observedAt: number;
    }
  | {
      readonly kind: 'effect';
      readonly actor: ObservedActor;
      readonly notice: EffectNotice;
      readonly observedAt: number;
    };

export class Observer {
  /** Whether anybody watches anything: all that the hot path reads. */
  active = false;
  /** Written out since the start. */
  observed = 0;
  /** Dropped since the start, because too much happened at once. */
  dropped = 0;

  #instruments: readonly Instrument[] = [];
  readonly #host: ObserverHost;
  readonly #watches = new Map<string, Watching>();
  readonly #introduced = new Set<string>();
  readonly #stale = new Map<string, ObservedActor>();
  #queue: Waiting[] = [];
  /** Undefined: everything. */
  #filter: { readonly actors: ReadonlySet<string>; readonly types: ReadonlySet<string> } | undefined;
  #flush: Timer | undefined;
  #expiry: Timer | undefined;

  constructor(host: ObserverHost) {
    this.#host = host;
  }

  get watchers(): number {
    return this.#watches.size;
  }

  /**
   * Begins, renews or (`ttlMs` 0) ends a watch. Invariant 5.
   * @returns whether it is held now: a new one is refused beyond `WATCHERS_MAX`.
   */
  watch(watch: Watch): boolean {
    const isNew = !this.#watches.has(watch.watcher);
    if (watch.ttlMs <= 0) this.#watches.delete(watch.watcher);
    else if (isNew && this.#watches.size >= WATCHERS_MAX) return false;
    else {
      const ttlMs = Math.min(Math.max(watch.ttlMs, WATCH_TTL_MS_MIN), WATCH_TTL_MS_MAX);
      this.#watches.set(watch.watcher, { ...watch, untilMs: this.#host.clock.monotonic() + ttlMs });
      if (isNew) this.#introduced.clear();
    }
    this.#update();
    return watch.ttlMs > 0;
  }

  /** Lets an instrument look on from now, beside those that do. @returns what ends that; an instrument looks on once at most. */
  addInstrument(instrument: Instrument): () => void {
    this.#instruments = [...this.#instruments.filter((one) => one !== instrument), instrument];
    this.#update();
    return () => {
      this.#instruments = this.#instruments.filter((one) => one !== instrument);
      this.#update();
    };
  }

  /** Runs a step and takes a note of it. Called only while `active`. */
  step(actor: ObservedActor, before: ActorState, entry: JournalEntry, bytes: number): StepResult {
    const { type } = actor.address;
    const wanting = this.#instruments.filter((instrument) => instrument.wants(type));
    return wanting.length > 0
      ? this.#instrumented(wanting, actor, before, entry, bytes)
      : this.#observed(actor, before, entry, bytes);
  }

  /** Invariant 6. */
  #instrumented(
    instruments: readonly Instrument[],
    actor: ObservedActor,
    before: ActorState,
    entry: JournalEntry,
    bytes: number,
  ): StepResult {
    const { address, definition, partition } = actor;
    const { clock } = this.#host;
    for (const instrument of instruments) instrument.stepping?.(address, entry, before, partition);
    let call = (): StepResult => this.#observed(actor, before, entry, bytes);
    for (const instrument of instruments) {
      if (instrument.around === undefined) continue;
      const inner = call;
      call = () => instrument.around!(address.type, inner);
    }
    const startedMs = clock.monotonic();
    const tell = (outcome: Pick<StepNotice, 'after' | 'effects' | 'error'>): void => {
      const durationMs = clock.monotonic() - startedMs;
      const notice = { address, definition, partition, entry, before, ...outcome, durationMs };
      for (const instrument of instruments) instrument.stepped(notice);
    };
    let result: StepResult;
    try {
      result = call();
    } catch (error) {
      tell({ after: undefined, effects: [], error });
      throw error;
    }
    tell({ after: result.state, effects: result.effects });
    return result;
  }

  #observed(actor: ObservedActor, before: ActorState, entry: JournalEntry, bytes: number): StepResult {
    if (!this.#wants(actor)) return step(actor.definition, before, entry, bytes);
    if (!this.#hasRoom(actor)) return step(actor.definition, before, entry, bytes);
    const { clock } = this.#host;
    const startedMs = clock.monotonic();
    const { result, transitions } = recordTransitions(() => step(actor.definition, before, entry, bytes));
    const stepUs = Math.round((clock.monotonic() - startedMs) * 1_000);
    const record = { before, after: result.state, entry, effects: result.effects, transitions, bytes };
    this.#add({ kind: 'step', actor, record, stepUs, observedAt: clock.now() });
    return result;
  }

  /** Takes a note of an effect that began, is repeated or ended. Called only while `active`. */
  effect(actor: ObservedActor, notice: EffectNotice): void {
    for (const instrument of this.#instruments)
      if (instrument.wants(actor.address.type)) instrument.effect(actor, notice);
    if (this.#wants(actor) && this.#hasRoom(actor))
      this.#add({ kind: 'effect', actor, notice, observedAt: this.#host.clock.now() });
  }

  stop(): void {
    this.active = false;
    this.#watches.clear();
    this.#queue = [];
    this.#stale.clear();
    this.#flush?.cancel();
    this.#expiry?.cancel();
    this.#flush = undefined;
    this.#expiry = undefined;
  }

  #wants({ address }: ObservedActor): boolean {
    const filter = this.#filter;
    if (filter === undefined || filter.types.has(address.type)) return true;
    return filter.actors.size > 0 && filter.actors.has(formatAddress(address));
  }

  /** Invariants 3 and 4. */
  #hasRoom(actor: ObservedActor): boolean {
    if (this.#queue.length < QUEUE_MAX) return true;
    this.dropped++;
    if (this.#stale.size < ACTORS_MAX) this.#stale.set(formatAddress(actor.address), actor);
    return false;
  }

  #add(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#flush ??= this.#host.clock.setTimer(() => this.#write(), FLUSH_EVERY_MS);
  }

  /** Writes out what fits into `FLUSH_MS_MAX`. */
  #write(): void {
    this.#flush = undefined;
    const { clock } = this.#host;
    const endMs = clock.monotonic() + FLUSH_MS_MAX;
    const queue = this.#queue;
    let done = 0;
    while (done < queue.length && (done === 0 || clock.monotonic() < endMs)) this.#publish(queue[done++]!);
    this.#queue = done === queue.length ? [] : queue.slice(done);
    if (this.#queue.length === 0) {
      for (const [name, actor] of this.#stale) {
        if (clock.monotonic() >= endMs) break;
        this.#stale.delete(name);
        this.#publishState(actor);
      }
    }
    if (this.active && (this.#queue.length > 0 || this.#stale.size > 0))
      this.#flush = clock.setTimer(() => this.#write(), FLUSH_EVERY_MS);
  }

  #publish(waiting: Waiting): void {
    const { actor, observedAt } = waiting;
    if (waiting.kind === 'effect') {
      const name = formatAddress(actor.address);
      const seen = { ...waiting.notice, ...this.#seen(actor, observedAt) };
      this.#send(actor, [effectEvent({ kind: 'effect', actor: name, ...seen })]);
      return;
    }
    const facts = stepFacts(actor.definition, waiting.record);
    const observation = {
      kind: 'step' as const,
      ...facts,
      ...this.#seen(actor, observedAt),
      stepUs: waiting.stepUs,
    };
    this.#introduce(actor, facts.before, observedAt);
    this.#send(actor, stepEvents(observation));
  }

  #publishState(actor: ObservedActor): void {
    const { state, definition } = actor;
    if (state === undefined) return;
    const observedAt = this.#host.clock.now();
    const after = observeState(definition, state);
    const observation: StateObservation = {
      kind: 'state',
      actor: formatAddress(actor.address),
      ...this.#seen(actor, observedAt),
      seq: state.seq,
      at: state.now,
      after,
      ...(state.turn === undefined ? {} : { turn: observeTurn(state.turn) }),
      waiting: state.stash.length,
      running: state.effects.size,
      timers: state.timers.size,
      count: state.count,
      turns: state.turns,
      version: state.version,
    };
    this.#introduce(actor, after, observedAt);
    this.#send(actor, [stateEvent(observation)]);
  }

  #seen({ partition }: ObservedActor, observedAt: number): Observed {
    return { worker: this.#host.workerId, partition, observedAt, dropped: this.dropped };
  }

  #introduce(actor: ObservedActor, state: Parameters<typeof actorEvent>[3], at: number): void {
    const name = formatAddress(actor.address);
    if (this.#introduced.has(name)) return;
    if (this.#introduced.size >= ACTORS_MAX) this.#introduced.clear();
    this.#introduced.add(name);
    this.#send(actor, [actorEvent(name, actor.definition.type, definitionText(actor.definition), state, at)]);
  }

  #send(actor: ObservedActor, events: readonly string[]): void {
    const { bus, subjects } = this.#host;
    this.observed++;
    try {
      const subject = subjects.inspect(actor.address);
      for (const event of events) bus.publish(subject, encoder.encode(event));
    } catch {
      // Too large for the server, or no connection: an observation is never worth more than being counted.
      this.dropped++;
    }
  }

  #update(): void {
    const watches = [...this.#watches.values()];
    const isAll = watches.some(({ actors, types }) => actors === undefined && types === undefined);
    this.#filter = isAll
      ? undefined
      : {
          actors: new Set(watches.flatMap(({ actors }) => actors ?? [])),
          types: new Set(watches.flatMap(({ types }) => types ?? [])),
        };
    this.active = watches.length > 0 || this.#instruments.length > 0;
    if (watches.length === 0) {
      this.#queue = [];
      this.#stale.clear();
      this.#introduced.clear();
    }
    this.#expiry?.cancel();
    this.#expiry = undefined;
    if (watches.length === 0) return;
    const nextMs = Math.min(...watches.map(({ untilMs }) => untilMs)) - this.#host.clock.monotonic();
    this.#expiry = this.#host.clock.setTimer(() => this.#expire(), Math.max(1, nextMs));
  }

  #expire(): void {
    const nowMs = this.#host.clock.monotonic();
    for (const [watcher, { untilMs }] of this.#watches) if (untilMs <= nowMs) this.#watches.delete(watcher);
    this.#update();
  }
}

const encoder = new TextEncoder();
