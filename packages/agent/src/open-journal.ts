/**
 * Reading actors from their journals, with no worker running: for operators, tools and tests.
 *
 * Invariants
 * 1. Nothing is written, nobody is asked, no effect is run.
 * 2. A state is a fold of entries that are all there: where purge has removed some, it is `JournalGap`, never a guess.
 */
import {
  type ActorDefinition,
  type ActorState,
  decodeStoredState,
  definitionFor,
  type Effect,
  emptyState,
  step,
  storedVersion,
} from '@troupe/core';
import { migrateStoredState } from '@troupe/core/internal';
import type { Ports, StoredSnapshot } from '@troupe/runtime';
import {
  type ActorAddress,
  decodeEntry,
  decodeState,
  formatAddress,
  type JournalEntry,
  parseAddress,
  TroupeError,
} from '@troupe/wire';
import { type JournalState, viewState } from './journal-state.ts';
import { nearest } from './nearest.ts';

/** What `openJournal` takes. */
export interface OpenJournalOptions {
  /** Of `createNatsPorts` or of a memory broker. Not closed by the journal. */
  readonly ports: Pick<Ports, 'journal' | 'snapshots'>;
  /** The code that folds; its `previous` too. Without it only entries can be read, not states. Default: none. */
  readonly actors?: readonly ActorDefinition[];
}

/** Which entries. */
export interface EntryRange {
  /** Default: the oldest that is kept. */
  readonly fromSeq?: number;
  /** Default: the newest. */
  readonly toSeq?: number;
  /** Only the last so many of them. */
  readonly last?: number;
}

/** One entry, and what it did. */
export interface JournalStep {
  readonly entry: JournalEntry;
  /** The state after it. */
  readonly state: JournalState;
  readonly effects: readonly Effect[];
}

/** How often a state is read again because a purge came in between. */
const ATTEMPTS_MAX = 5;

/** An open journal. Addresses may be written `type/key`. */
export class OpenedJournal {
  readonly #ports: OpenJournalOptions['ports'];
  readonly #actors: ReadonlyMap<string, ActorDefinition>;

  constructor(options: OpenJournalOptions) {
    this.#ports = options.ports;
    this.#actors = new Map((options.actors ?? []).map((actor) => [actor.type, actor]));
  }

  /**
   * The state as of the newest entry, or of `atSeq`; undefined for an actor that had none yet.
   *
   * @throws TroupeError `UnknownActorType` without its definition, `JournalGap` when entries needed are purged.
   * @example (await journal.state('support/john'))?.context
   */
  async state(
    actor: ActorAddress | string,
    options: { readonly atSeq?: number } = {},
  ): Promise<JournalState | undefined> {
    const address = addressOf(actor);
    const definition = this.#definition(address);
    const state = await this.#foldTo(definition, address, options.atSeq ?? Number.MAX_SAFE_INTEGER, () => {});
    return state.seq === 0 ? undefined : viewState(definition, state);
  }

  /**
   * The entries themselves, oldest first.
   *
   * @example for await (const { seq, body } of journal.entries('support/john', { last: 20 })) show(seq, body.kind);
   */
  async *entries(actor: ActorAddress | string, range: EntryRange = {}): AsyncIterable<JournalEntry> {
    const { last } = range;
    const kept: JournalEntry[] = [];
    for await (const message of this.#ports.journal.readActor(addressOf(actor), seqRange(range))) {
      const entry = decodeEntry(message, {});
      if (last === undefined) yield entry;
      else if (kept.push(entry) > last) kept.shift();
    }
    yield* kept;
  }

  /**
   * The entries of a range with the state after each and the effects it had: time travel.
   *
   * @throws as `state`.
   */
  async steps(actor: ActorAddress | string, range: EntryRange = {}): Promise<JournalStep[]> {
    const address = addressOf(actor);
    const definition = this.#definition(address);
    const { fromSeq = 0, toSeq = Number.MAX_SAFE_INTEGER, last } = range;
    const first = last === undefined ? fromSeq : await this.#seqOfLast(address, range);
    const steps: JournalStep[] = [];
    await this.#foldTo(
      definition,
      address,
      toSeq,
      (entry, state, effects) => {
        if (entry.seq >= first && entry.seq <= toSeq)
          steps.push({ entry, state: viewState(definition, state), effects });
      },
      first,
    );
    return steps;
  }

  /** Sequence of the first of the last so many entries. */
  async #seqOfLast(address: ActorAddress, range: EntryRange): Promise<number> {
    for await (const entry of this.entries(address, range)) return entry.seq;
    return 0;
  }

  /** Folds up to `atSeq`, from the newest snapshot at or below it (and below `visitFrom`, where each step is shown). */
  async #foldTo(
    definition: ActorDefinition,
    address: ActorAddress,
    atSeq: number,
    visit: (entry: JournalEntry, state: ActorState, effects: readonly Effect[]) => void,
    visitFrom = Number.MAX_SAFE_INTEGER,
  ): Promise<ActorState> {
    for (let attempt = 1; ; attempt++) {
      const snapshots = await this.#ports.snapshots.history(this.#ports.journal.partitionOf(address), address);
      const base = snapshots.find((one) => one.seq <= atSeq && one.seq < visitFrom);
      const next = snapshots.findLast((one) => one.seq > (base?.seq ?? 0));
      const seen: Parameters<typeof visit>[] = [];
      const folded = await this.#fold(definition, address, base, next, atSeq, (...step) => seen.push(step));
      if (folded !== undefined) {
        for (const step of seen) visit(...step);
        return folded;
      }
      if (attempt >= ATTEMPTS_MAX || next !== undefined) throw gap(address, atSeq, snapshots);
    }
  }

  /** Undefined when entries turn out to be missing: the fold does not meet the next snapshot. */
  async #fold(
    definition: ActorDefinition,
    address: ActorAddress,
    base: StoredSnapshot | undefined,
    next: StoredSnapshot | undefined,
    atSeq: number,
    visit: (entry: JournalEntry, state: ActorState, effects: readonly Effect[]) => void,
  ): Promise<ActorState | undefined> {
    let state = base === undefined ? firstState(definition, address, next) : restore(definition, address, base);
    let wanted = state;
    const toSeq = Math.max(atSeq, next?.seq ?? 0);
    const range = toSeq === Number.MAX_SAFE_INTEGER ? { fromSeq: state.seq + 1 } : { fromSeq: state.seq + 1, toSeq };
    let count: number | undefined;
    for await (const message of this.#ports.journal.readActor(address, range)) {
      const entry = decodeEntry(message, {});
      const result = step(definition, state, entry, message.payload.length);
      state = result.state;
      if (state.seq <= atSeq) wanted = state;
      if (state.seq === next?.seq) count = state.count;
      visit(entry, state, result.effects);
    }
    if (next !== undefined) return count === next.count ? wanted : undefined;
    // A snapshot and a purge may have come between the two reads.
    const partition = this.#ports.journal.partitionOf(address);
    const newest = await this.#ports.snapshots.load(partition, address);
    return newest === undefined || newest.seq === base?.seq || newest.seq > atSeq ? wanted : undefined;
  }

  #definition(address: ActorAddress): ActorDefinition {
    const definition = this.#actors.get(address.type);
    if (definition !== undefined) return definition;
    const known = [...this.#actors.keys()];
    const guess = nearest(address.type, known);
    throw new TroupeError(
      'UnknownActorType',
      `There is no definition of '${address.type}' here, so its journal can't be folded. ${guess === undefined ? `Known: ${known.join(', ') || 'none'}.` : `Did you mean '${guess}'?`}`,
      { actor: formatAddress(address), details: { known } },
    );
  }
}

/**
 * Opens the journal for reading.
 *
 * @example
 * const journal = openJournal({ ports, actors: [support] });
 * const before = await journal.state('support/john', { atSeq: 4_711 });
 */
export function openJournal(options: OpenJournalOptions): OpenedJournal {
  return new OpenedJournal(options);
}

function addressOf(actor: ActorAddress | string): ActorAddress {
  return typeof actor === 'string' ? parseAddress(actor) : actor;
}

function seqRange({ fromSeq, toSeq }: EntryRange): { fromSeq?: number; toSeq?: number } {
  return { ...(fromSeq === undefined ? {} : { fromSeq }), ...(toSeq === undefined ? {} : { toSeq }) };
}

/** Before its first snapshot an actor was folded by the code that wrote that snapshot. */
function firstState(definition: ActorDefinition, address: ActorAddress, next: StoredSnapshot | undefined): ActorState {
  const version = next === undefined ? definition.version : storedVersion(decodeState(next.bytes)).version;
  const code = definitionFor(definition, version) ?? definition;
  return emptyState(address, code.version, code.hash);
}

function restore(definition: ActorDefinition, address: ActorAddress, snapshot: StoredSnapshot): ActorState {
  const stored = decodeState(snapshot.bytes);
  const code = definitionFor(definition, storedVersion(stored).version);
  return code === undefined
    ? migrateStoredState(definition, address, stored)
    : decodeStoredState(code, address, stored);
}

function gap(address: ActorAddress, atSeq: number, snapshots: readonly StoredSnapshot[]): TroupeError {
  const kept = snapshots.map((one) => one.seq);
  const wanted = atSeq === Number.MAX_SAFE_INTEGER ? 'the newest entry' : `entry ${atSeq}`;
  return new TroupeError(
    'JournalGap',
    `The state of ${formatAddress(address)} at ${wanted} can't be folded: entries before it were purged. Snapshots are kept at ${kept.join(', ') || 'none'}; ask for one of these or later.`,
    { actor: formatAddress(address), details: { atSeq, snapshots: kept } },
  );
}
