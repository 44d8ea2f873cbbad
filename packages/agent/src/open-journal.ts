/**
 * Reading actors from their journals, with no worker running: for operators, tools and tests.
 *
 * Invariants
 * 1. Nothing is written, nobody is asked, no effect is run.
 * 2. A state is a fold of entries that are all there: where purge has removed some, it is `JournalGap`, never a guess.
 */
import type { ActorDefinition, Effect } from '@troupe/core';
import { type EntryRange, type History, openHistory } from '@troupe/inspect';
import type { Ports } from '@troupe/runtime';
import {
  type ActorAddress,
  decodeEntry,
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
  readonly ports: Pick<Ports, 'journal' | 'snapshots'> & Partial<Pick<Ports, 'records'>>;
  /** The code that folds; its `previous` too. Without it only entries can be read, not states. Default: none. */
  readonly actors?: readonly ActorDefinition[];
}

/** One entry, and what it did. */
export interface JournalStep {
  readonly entry: JournalEntry;
  /** The state after it. */
  readonly state: JournalState;
  readonly effects: readonly Effect[];
}

/** An open journal. Addresses may be written `type/key`. */
export class OpenedJournal {
  readonly #ports: OpenJournalOptions['ports'];
  readonly #actors: ReadonlyMap<string, ActorDefinition>;
  readonly #history: History;

  constructor(options: OpenJournalOptions) {
    this.#ports = options.ports;
    this.#actors = new Map((options.actors ?? []).map((actor) => [actor.type, actor]));
    this.#history = openHistory({ ports: options.ports, actors: options.actors ?? [] });
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
    const state = await this.#history.of(address).actorState(options.atSeq);
    return state === undefined ? undefined : viewState(definition, state);
  }

  /**
   * The entries themselves, oldest first.
   *
   * @example for await (const { seq, body } of journal.entries('support/john', { last: 20 })) show(seq, body.kind);
   */
  async *entries(actor: ActorAddress | string, range: EntryRange = {}): AsyncIterable<JournalEntry> {
    for await (const message of this.#ports.journal.readActor(addressOf(actor), range)) yield decodeEntry(message, {});
  }

  /**
   * The entries of a range with the state after each and the effects it had: time travel.
   *
   * @throws as `state`.
   */
  async steps(actor: ActorAddress | string, range: EntryRange = {}): Promise<JournalStep[]> {
    const address = addressOf(actor);
    const definition = this.#definition(address);
    const line = this.#history.of(address);
    const steps: JournalStep[] = [];
    let wanted: EntryRange | undefined = range;
    while (wanted !== undefined) {
      const page = await line.folded({ ...wanted, limit: 1_000 });
      for (const { entry, after, effects } of page.steps)
        steps.push({ entry, state: viewState(definition, after), effects });
      wanted = page.next === undefined ? undefined : restOf(range, page.next);
    }
    return steps;
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

function restOf({ toSeq }: EntryRange, fromSeq: number): EntryRange {
  return toSeq === undefined ? { fromSeq } : { fromSeq, toSeq };
}
