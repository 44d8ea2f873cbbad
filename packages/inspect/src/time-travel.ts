/**
 * Time travel: what an actor was, step by step, at any entry that is kept. Made for being asked again and again: states in
 * between are kept in memory, within bounds.
 */
import {
  type ActorDefinition,
  type ActorState,
  definitionFor,
  describeState,
  type StateDescription,
  type StoredActorState,
  stepFacts,
  storeState,
} from '@troupe/core';
import {
  type ActorAddress,
  type DecodeEntryOptions,
  decodeEntry,
  formatAddress,
  type JournalEntry,
  type StepFacts,
  TroupeError,
} from '@troupe/wire';
import { correlate, type SequenceDiagram } from './correlate.ts';
import { type Change, diffValues } from './diff.ts';
import { type FoldedStep, foldActor, type Wanted } from './fold.ts';
import type { HistoryPorts, KeptSnapshot } from './history-ports.ts';
import { Marks } from './marks.ts';
import { readSetAside } from './set-aside.ts';

/** What `openHistory` takes. */
export interface HistoryOptions {
  readonly ports: HistoryPorts;
  /** The code that folds; its `previous` too. Without it only entries can be read, not states. Default: none. */
  readonly actors?: readonly ActorDefinition[];
  /** As the workers have it. Default: none. */
  readonly decoding?: DecodeEntryOptions;
}

/** Which entries. */
export interface EntryRange {
  /** Default: the oldest that is kept. */
  readonly fromSeq?: number;
  /** Default: the newest. */
  readonly toSeq?: number;
  /** Only the newest so many of them. */
  readonly last?: number;
}

export interface PageRange extends EntryRange {
  /** Default 200, at most 1,000. */
  readonly limit?: number;
}

/** One step, with the whole state after it. */
export interface StepRecord extends StepFacts {
  readonly state: StateDescription;
  /** What the step changed in the state, without its bookkeeping (`seq`, `now`, `count`). */
  readonly changes: readonly Change[];
}

export interface HistorySpan {
  /** First entry that is kept. */
  readonly firstSeq: number;
  /** Newest entry. */
  readonly lastSeq: number;
  /** First sequence whose state can be shown; 0 for the beginning itself. */
  readonly shownFromSeq: number;
  /** Entries folded since the actor's beginning. */
  readonly count: number;
  /** States that are stored, oldest first, at most ten. */
  readonly snapshots: readonly { readonly seq: number; readonly at: number; readonly count: number }[];
}

/** Actors whose marks are kept at once. */
const LINES_MAX = 16;
const PAGE_DEFAULT = 200;
const PAGE_MAX = 1_000;
/** For so long the list of snapshots is taken as it was, ms. A fold finds out when that was wrong. */
const SNAPSHOTS_FRESH_MS = 2_000;

/** Everything kept of every actor. */
export class History {
  readonly #options: HistoryOptions;
  readonly #actors: ReadonlyMap<string, ActorDefinition>;
  readonly #lines = new Map<string, Timeline>();

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#actors = new Map((options.actors ?? []).map((actor) => [actor.type, actor]));
  }

  get ports(): HistoryPorts {
    return this.#options.ports;
  }

  /** The code of a type; undefined when it isn't here. */
  definition(type: string): ActorDefinition | undefined {
    return this.#actors.get(type);
  }

  /** What belongs together across actors, from any of its entries. @throws as `correlate`. */
  correlate(start: { readonly actor: string; readonly seq: number }): Promise<SequenceDiagram> {
    return correlate(this, start);
  }

  /** One actor's. The last 16 asked for keep their states in memory. */
  of(address: ActorAddress): Timeline {
    const name = formatAddress(address);
    const line = this.#lines.get(name) ?? new Timeline(this.#options, this.#actors, address);
    this.#lines.delete(name);
    this.#lines.set(name, line);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > LINES_MAX && oldest !== undefined) this.#lines.delete(oldest);
    return line;
  }
}

/** Everything kept of one actor. */
export class Timeline {
  readonly address: ActorAddress;
  readonly #options: HistoryOptions;
  readonly #actors: ReadonlyMap<string, ActorDefinition>;
  #marks: Marks | undefined;
  #setAside: { readonly seqs: ReadonlySet<number>; readonly atMs: number } | undefined;
  /** A snapshot before which entries are known to be gone. */
  #gapUpTo = 0;
  #snapshots: { readonly list: readonly KeptSnapshot[]; readonly atMs: number } | undefined;

  constructor(options: HistoryOptions, actors: ReadonlyMap<string, ActorDefinition>, address: ActorAddress) {
    this.#options = options;
    this.#actors = actors;
    this.address = address;
  }

  /**
   * The state as of the newest entry at or before `seq` (default: the newest there is), as `query state` would have
   * answered then; undefined before the first entry.
   *
   * @throws TroupeError `UnknownActorType` without its definition, `JournalGap` when entries needed are purged.
   */
  async stateAt(seq?: number): Promise<StateDescription | undefined> {
    const state = await this.actorState(seq);
    return state === undefined ? undefined : describeState(this.#definition(), state);
  }

  /** The same state as the step has it. @throws as `stateAt`. */
  async actorState(seq?: number): Promise<ActorState | undefined> {
    const { state } = await this.#fold(seq === undefined ? {} : { toSeq: seq });
    return state.seq === 0 ? undefined : state;
  }

  /** The same state in its stored form, for export. @throws as `stateAt`. */
  async storedState(seq?: number): Promise<StoredActorState | undefined> {
    const state = await this.actorState(seq);
    const definition = this.#definition();
    return state === undefined ? undefined : storeState(definitionFor(definition, state.version) ?? definition, state);
  }

  /**
   * The step of one entry.
   *
   * @throws TroupeError `NotFound` when the actor has no such entry; as `stateAt`.
   */
  async step(seq: number): Promise<StepRecord> {
    const { steps } = await this.#fold({ fromSeq: seq, toSeq: seq, transitions: true });
    const [found] = steps;
    if (found !== undefined) return this.#record(found);
    const actor = formatAddress(this.address);
    throw new TroupeError('NotFound', `${actor} has no entry ${seq}. Take a sequence from its history.`, { actor });
  }

  /** Steps in order, page after page: go on at `next`. @throws as `stateAt`. */
  async steps(range: PageRange = {}): Promise<{ readonly steps: StepRecord[]; readonly next?: number }> {
    const { steps, next } = await this.folded({ ...range, transitions: true });
    return { steps: steps.map((one) => this.#record(one)), ...(next === undefined ? {} : { next }) };
  }

  /** The same as the fold had them: states and effects as they are. @throws as `stateAt`. */
  async folded(
    range: PageRange & { readonly transitions?: boolean },
  ): Promise<{ readonly steps: readonly FoldedStep[]; readonly next?: number }> {
    const { last, toSeq, transitions = false } = range;
    const limit = pageSize(range.limit ?? last);
    const fromSeq = last === undefined ? (range.fromSeq ?? 1) : await this.#seqOfLast(range);
    if (fromSeq === undefined) return { steps: [] };
    const begin = Math.max(fromSeq, (await this.#shownFrom()) + 1);
    const upTo = toSeq === undefined ? {} : { toSeq };
    const { steps } = await this.#fold({ fromSeq: begin, limit: limit + 1, transitions, ...upTo });
    const next = steps[limit]?.entry.seq;
    return { steps: steps.slice(0, limit), ...(next === undefined ? {} : { next }) };
  }

  /** The entries themselves, page after page; no definition is needed. */
  async entries(range: PageRange = {}): Promise<{ readonly entries: JournalEntry[]; readonly next?: number }> {
    const { limit: asked, ...wanted } = range;
    const limit = pageSize(asked ?? range.last);
    const entries: JournalEntry[] = [];
    for await (const message of this.#options.ports.journal.readActor(this.address, wanted)) {
      if (entries.length >= limit) return { entries, next: message.seq };
      entries.push(decodeEntry(message, this.#options.decoding ?? {}));
    }
    return { entries };
  }

  /** The entry next to a sequence, for going back and forth; undefined at either end. */
  async nearest(seq: number, direction: 'previous' | 'next'): Promise<number | undefined> {
    const range = direction === 'next' ? { fromSeq: seq + 1 } : { toSeq: seq - 1, last: 1 };
    if (seq <= 1 && direction === 'previous') return undefined;
    for await (const message of this.#options.ports.journal.readActor(this.address, range)) return message.seq;
    return undefined;
  }

  /** What two states differ in. @throws as `stateAt`; `NotFound` before the first entry. */
  async diff(fromSeq: number, toSeq: number): Promise<Change[]> {
    const [before, after] = [await this.stateAt(fromSeq), await this.stateAt(toSeq)];
    if (before !== undefined && after !== undefined) return diffStates(before, after);
    const actor = formatAddress(this.address);
    throw new TroupeError('NotFound', `${actor} has no entry up to ${before === undefined ? fromSeq : toSeq}.`, {
      actor,
    });
  }

  /** What there is; undefined for an actor without entries and states. */
  async span(): Promise<HistorySpan | undefined> {
    const snapshots = await this.#listSnapshots(true);
    const oldest = snapshots.at(-1);
    const firstSeq = (await this.nearest(0, 'next')) ?? oldest?.seq;
    if (firstSeq === undefined) return undefined;
    const last = await this.nearest(Number.MAX_SAFE_INTEGER, 'previous');
    const state = this.#actors.has(this.address.type) ? await this.actorState() : undefined;
    return {
      firstSeq,
      lastSeq: Math.max(last ?? 0, snapshots[0]?.seq ?? 0),
      shownFromSeq: await this.#shownFrom(),
      count: state?.count ?? snapshots[0]?.count ?? 0,
      snapshots: snapshots.map(({ seq, at, count }) => ({ seq, at, count })).reverse(),
    };
  }

  #record(folded: FoldedStep): StepRecord {
    const definition = this.#definition();
    const state = describeState(definition, folded.after);
    return {
      ...stepFacts(definition, folded),
      state,
      changes: diffStates(describeState(definition, folded.before), state),
    };
  }

  /** Nothing is known of what came before the first entry that is kept, unless a snapshot says it. */
  async #shownFrom(): Promise<number> {
    const oldest = (await this.#listSnapshots(false)).at(-1);
    if (oldest === undefined || this.#definitionOrNot() === undefined) return 0;
    if (oldest.seq <= this.#gapUpTo) return oldest.seq;
    try {
      await this.#fold({ toSeq: oldest.seq - 1 });
      return 0;
    } catch (error) {
      if (!(error instanceof TroupeError && error.code === 'JournalGap')) throw error;
      this.#gapUpTo = oldest.seq;
      return oldest.seq;
    }
  }

  async #seqOfLast(range: EntryRange): Promise<number | undefined> {
    const { fromSeq, toSeq, last } = range;
    const wanted = { ...(fromSeq && { fromSeq }), ...(toSeq && { toSeq }), ...(last !== undefined && { last }) };
    for await (const message of this.#options.ports.journal.readActor(this.address, wanted)) return message.seq;
    return undefined;
  }

  #fold(wanted: Wanted): ReturnType<typeof foldActor> {
    const definition = this.#definition();
    this.#marks ??= new Marks(definition);
    const { ports, decoding } = this.#options;
    return foldActor(
      {
        ports,
        definition,
        address: this.address,
        marks: this.#marks,
        decoding,
        snapshots: (fresh) => this.#listSnapshots(fresh),
        setAside: (fresh) => this.#readSetAside(fresh),
      },
      wanted,
    );
  }

  async #listSnapshots(fresh: boolean): Promise<readonly KeptSnapshot[]> {
    const nowMs = performance.now();
    if (!fresh && this.#snapshots !== undefined && nowMs - this.#snapshots.atMs < SNAPSHOTS_FRESH_MS)
      return this.#snapshots.list;
    const { journal, snapshots } = this.#options.ports;
    const list = await snapshots.history(journal.partitionOf(this.address), this.address);
    this.#snapshots = { list, atMs: nowMs };
    return list;
  }

  async #readSetAside(fresh: boolean): Promise<ReadonlySet<number>> {
    const nowMs = performance.now();
    if (!fresh && this.#setAside !== undefined && nowMs - this.#setAside.atMs < SNAPSHOTS_FRESH_MS)
      return this.#setAside.seqs;
    const { ports } = this.#options;
    const seqs = await readSetAside(ports, ports.journal.partitionOf(this.address));
    // A state kept from before would have stepped what is refused since.
    if (this.#setAside !== undefined && this.#setAside.seqs.size !== seqs.size) this.#marks?.clear();
    this.#setAside = { seqs, atMs: nowMs };
    return seqs;
  }

  #definitionOrNot(): ActorDefinition | undefined {
    return this.#actors.get(this.address.type);
  }

  #definition(): ActorDefinition {
    const definition = this.#definitionOrNot();
    if (definition !== undefined) return definition;
    const known = [...this.#actors.keys()];
    throw new TroupeError(
      'UnknownActorType',
      `There is no definition of '${this.address.type}' here, so its journal can't be folded. Known: ${known.join(', ') || 'none'}.`,
      { actor: formatAddress(this.address), details: { known } },
    );
  }
}

/** What differs between two states of an actor, without what differs in every step. */
export function diffStates(before: StateDescription, after: StateDescription): Change[] {
  const { seq: _seq, now: _now, count: _count, ...left } = before;
  const { seq: _seq2, now: _now2, count: _count2, ...right } = after;
  return diffValues(left, right);
}

/**
 * Opens the history of all actors, for reading only.
 *
 * @example
 * const history = openHistory({ ports, actors: [order] });
 * await history.of({ type: 'order', key: '42' }).stateAt(1_017);
 */
export function openHistory(options: HistoryOptions): History {
  return new History(options);
}

function pageSize(limit: number | undefined): number {
  return Math.max(1, Math.min(limit ?? PAGE_DEFAULT, PAGE_MAX));
}
