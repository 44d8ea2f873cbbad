/**
 * Who told whom what because of one cause: a sequence diagram out of the journals of all actors concerned, long after.
 *
 * Every entry belongs to one correlation (see `correlation.ts` of wire). From any entry the way back leads over its sender
 * to the entry that began it all; from there on, every step that belongs to it says whom it has told.
 */
import { effectIdOf, parseEffectId } from '@troupe/core';
import { type ActorAddress, correlationOf, formatAddress, parseAddress, TroupeError } from '@troupe/wire';
import type { History, StepRecord } from './time-travel.ts';

/** One arrow. */
export interface SequenceMessage {
  /** `<type>/<key>`, or `client`. */
  readonly from: string;
  readonly to: string;
  readonly kind: 'task' | 'signal' | 'ask' | 'message' | 'outcome' | 'reply' | 'effect';
  /** Type of the event, or how it ended. */
  readonly label: string;
  /** Entry of the receiver in which it arrived; of the sender, for what goes to a client. */
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  readonly effectId?: string;
  readonly ok?: boolean;
}

export interface SequenceDiagram {
  readonly correlation: string;
  /** In order of appearance. */
  readonly lanes: readonly string[];
  /** In order of time. */
  readonly messages: readonly SequenceMessage[];
  /** More belongs to it than was looked at, or something of it is no longer kept. */
  readonly truncated: boolean;
}

/** Actors, entries of each, and arrows that are looked at. */
export const CORRELATE_MAX = { actors: 64, entriesPerActor: 2_000, messages: 1_000, hopsBack: 64 } as const;

const CLIENT = 'client';

/** Where to go on. */
interface Told {
  readonly actor: string;
  readonly fromSeq: number;
  /** Unix ms. */
  readonly at: number;
}

/**
 * The diagram of what an entry belongs to.
 *
 * @throws TroupeError `NotFound` when there is no such entry, `UnknownActorType` without its definition.
 * @example await correlate(history, { actor: 'order/42', seq: 1_017 });
 */
export async function correlate(
  history: History,
  start: { readonly actor: string; readonly seq: number },
): Promise<SequenceDiagram> {
  const step = await history.of(parseAddress(start.actor)).step(start.seq);
  const walk = new Walk(history, step.correlation);
  await walk.from(await walk.rootOf(step));
  return walk.diagram();
}

class Walk {
  readonly #history: History;
  readonly #correlation: string;
  readonly #messages: SequenceMessage[] = [];
  readonly #seen = new Set<string>();
  /** Who was asked, by the global id of the ask. */
  readonly #asked = new Map<string, string>();
  #truncated = false;

  constructor(history: History, correlation: string) {
    this.#history = history;
    this.#correlation = correlation;
  }

  /** Back over senders and turns to the first entry of the correlation. */
  async rootOf(step: StepRecord): Promise<StepRecord> {
    let current = step;
    for (let hops = 0; hops < CORRELATE_MAX.hopsBack; hops++) {
      const cause = causeOf(current);
      const earlier = cause === undefined ? undefined : await this.#stepOrGone(cause.actor, cause.seq);
      if (earlier === undefined || earlier.correlation !== this.#correlation) return current;
      current = earlier;
    }
    this.#truncated = true;
    return current;
  }

  /** Forward, actor after actor. */
  async from(root: StepRecord): Promise<void> {
    // Causes come before effects, so whoever was told first is followed first: nothing of him is missed.
    const queue: Told[] = [{ actor: root.actor, fromSeq: root.seq, at: root.at }];
    for (let next = queue.shift(); next !== undefined; next = queue.sort((a, b) => a.at - b.at).shift()) {
      if (this.#seen.has(next.actor)) continue;
      if (this.#seen.size >= CORRELATE_MAX.actors) {
        this.#truncated = true;
        return;
      }
      this.#seen.add(next.actor);
      for (const told of await this.#follow(next.actor, next.fromSeq)) queue.push(told);
    }
  }

  diagram(): SequenceDiagram {
    const messages = this.#messages.sort((a, b) => a.at - b.at || a.seq - b.seq);
    const lanes = [...new Set(messages.flatMap(({ from, to }) => [from, to]))];
    return { correlation: this.#correlation, lanes, messages, truncated: this.#truncated };
  }

  /** Everything of the correlation in one actor. @returns whom it told. */
  async #follow(actor: string, fromSeq: number): Promise<Told[]> {
    const told: Told[] = [];
    const line = this.#history.of(parseAddress(actor));
    if (this.#history.definition(line.address.type) === undefined) {
      await this.#followEntries(line.address, fromSeq);
      return told;
    }
    let from: number | undefined = fromSeq;
    for (let looked = 0; from !== undefined && looked < CORRELATE_MAX.entriesPerActor; ) {
      const page: { readonly steps: StepRecord[]; readonly next?: number } = await line.steps({ fromSeq: from });
      looked += page.steps.length;
      for (const step of page.steps) {
        if (step.correlation !== this.#correlation) continue;
        this.#arrived(step);
        for (const { kind, to, id } of step.effects) {
          if (to === undefined || (kind !== 'ask' && kind !== 'send')) continue;
          if (kind === 'ask') this.#asked.set(effectIdOf(line.address, id), to);
          told.push(await this.#placeOf(to, step.at));
        }
      }
      from = page.next;
    }
    if (from !== undefined) this.#truncated = true;
    return told;
  }

  /** Without the code of a type there are only the entries that say it themselves. */
  async #followEntries(address: ActorAddress, fromSeq: number): Promise<void> {
    const { entries, next } = await this.#history.of(address).entries({ fromSeq, limit: 1_000 });
    for (const { seq, at, body } of entries) {
      if ((body.kind !== 'ask' && body.kind !== 'message') || correlationOf(body.trace) !== this.#correlation) continue;
      const [from, to] = [formatAddress(body.from), formatAddress(address)];
      const label = body.kind === 'message' ? body.event.type : 'ask';
      this.#add({ from, to, kind: body.kind, label, seq, at, effectId: body.effectId });
    }
    if (next !== undefined) this.#truncated = true;
  }

  #arrived(step: StepRecord): void {
    const { actor, seq, at, entry } = step;
    const { effectId, ok } = entry;
    const from = this.#senderOf(step);
    const label = entry.event?.type ?? entry.kind;
    const kind = KINDS[entry.kind];
    if (kind !== undefined && from !== undefined) {
      const named = { ...(effectId === undefined ? {} : { effectId }), ...(ok === undefined ? {} : { ok }) };
      this.#add({ from, to: actor, kind: from === actor ? 'effect' : kind, label, seq, at, ...named });
    }
    for (const effect of step.effects)
      if (effect.kind === 'reply')
        this.#add({
          from: actor,
          to: CLIENT,
          kind: 'reply',
          label: effect.ok === true ? 'ok' : 'error',
          seq,
          at,
          effectId: effectIdOf(parseAddress(actor), effect.id),
          ok: effect.ok === true,
        });
  }

  /** An ask's outcome comes from whom was asked, that of anything else from the actor itself. */
  #senderOf({ actor, entry, settled }: StepRecord): string | undefined {
    if (entry.from !== undefined) return entry.from;
    if (entry.kind !== 'outcome') return CLIENT;
    return settled === undefined ? undefined : (this.#asked.get(settled) ?? actor);
  }

  #add(message: SequenceMessage): void {
    if (this.#messages.length < CORRELATE_MAX.messages) this.#messages.push(message);
    else this.#truncated = true;
  }

  /** Sequences of different journal streams can't be compared: the place is found by time. */
  async #placeOf(actor: string, at: number): Promise<Told> {
    const { journal } = this.#history.ports;
    return { actor, at, fromSeq: await journal.firstSeqSince(journal.partitionOf(parseAddress(actor)), at) };
  }

  async #stepOrGone(actor: string, seq: number): Promise<StepRecord | undefined> {
    try {
      return await this.#history.of(parseAddress(actor)).step(seq);
    } catch (error) {
      if (!(error instanceof TroupeError) || !GONE.has(error.code)) throw error;
      this.#truncated = true;
      return undefined;
    }
  }
}

const GONE: ReadonlySet<string> = new Set(['NotFound', 'JournalGap', 'UnknownActorType', 'ActorSuspended']);

const KINDS: Readonly<Partial<Record<StepRecord['entry']['kind'], SequenceMessage['kind']>>> = {
  task: 'task',
  signal: 'signal',
  redrive: 'task',
  ask: 'ask',
  message: 'message',
  outcome: 'outcome',
};

/** The entry that led to this one: its sender's, or the one that opened its turn or its effect. */
function causeOf({
  actor,
  seq,
  entry,
  turn,
}: StepRecord): { readonly actor: string; readonly seq: number } | undefined {
  const id = entry.effectId === undefined ? undefined : parseEffectId(entry.effectId);
  if (id !== undefined && (entry.from === undefined || id.actor === entry.from))
    return { actor: id.actor, seq: id.seq };
  return turn !== undefined && turn.seq < seq ? { actor, seq: turn.seq } : undefined;
}
