/**
 * The witness at the broker: folds every entry as it is stored, so that it knows the true state after each and every true
 * effect, and holds everything that workers write against them.
 *
 * Invariants that it checks, at every write
 * 1. What one actor sends another is an effect of an entry that is stored, with that very content.
 * 2. A stored snapshot is the true state at its sequence, and never older than the one before.
 * 3. A checkpoint's done mark passes nothing that is not delivered, its low-water mark nothing that no snapshot covers,
 *    and nobody writes it whose epoch has passed.
 *    Whom somebody has to wake, because an effect of his is open, is on its list.
 * 4. Purge takes nothing that no snapshot covers, and nothing younger than a lease.
 * 5. A fired wake-up is removed only once a tick of its actor is stored. Time in a state never goes back.
 */
import { type ActorDefinition, type ActorState, type Effect, emptyState, step, storeState } from '@troupe/core';
import type { BrokerWatch, MemoryMessage } from '@troupe/runtime/internal';
import {
  type ActorAddress,
  decodeEntry,
  decodeValue,
  encodeState,
  formatAddress,
  hash53,
  type InternalBody,
} from '@troupe/wire';
import { type ClerkContext, TYPE } from './clerk.ts';
import { keyOf } from './plan.ts';
import type { Violations } from './violations.ts';

/** The TTL of a lease, ms: what is younger may still be wanted by somebody. */
export const LEASE_MS = 15_000;

interface TrueEffect {
  readonly effect: Effect;
  /** What an ask, a message or an answer carries. */
  readonly content: string;
  readonly partition: number;
  readonly seq: number;
  delivered: boolean;
}

interface TrueActor {
  state: ActorState;
  readonly states: Map<number, ActorState>;
  readonly seqs: number[];
  /** Entries at the front that the stored snapshot covers. */
  covered: number;
  snapshotSeq: number;
}

interface StoredCheckpoint {
  readonly epoch: number;
  readonly done: number;
  readonly mark: number;
  readonly woken: readonly string[];
}

export class Oracle implements BrokerWatch {
  readonly actors = new Map<string, TrueActor>();
  /** Outcomes of turns by effect id, for clients. */
  readonly replies = new Map<string, Effect>();
  /** When a task id was first stored, server time. */
  readonly firstStored = new Map<string, number>();
  /** Tasks whose outcome is a refusal. */
  readonly refused = new Set<string>();
  entries = 0;
  snapshots = 0;
  purged = 0;
  checkpoints = 0;
  /** Of all that was stored, in order: equal for equal runs. */
  digest = 0;
  readonly #definition: ActorDefinition;
  readonly #violations: Violations;
  readonly #now: () => number;
  readonly #sends = new Map<string, TrueEffect>();
  readonly #answers = new Map<string, TrueEffect>();
  /** Effects run by an owner that were ever open. */
  readonly #calls = new Set<string>();
  /** Wake-ups that fired after the last tick of their actor, by its name. */
  readonly #fired = new Map<string, Set<number>>();
  readonly #undelivered: Map<number, number>[];
  readonly #epochs = new Map<string, number>();
  /** First delivery of each message, by receiver. */
  readonly #journal: MemoryMessage[][];

  constructor(definition: ActorDefinition, partitions: number, violations: Violations, now: () => number) {
    this.#definition = definition;
    this.#violations = violations;
    this.#now = now;
    this.#undelivered = Array.from({ length: partitions }, () => new Map());
    this.#journal = Array.from({ length: partitions }, () => []);
  }

  contextOf(actor: TrueActor): ClerkContext | undefined {
    return actor.state.machine && (this.#definition.driver.contexts(actor.state.machine)[0] as ClerkContext);
  }

  /** Whether an effect with that id may be running: its entry is stored. */
  knowsCall(effectId: string): boolean {
    return this.#calls.has(effectId);
  }

  /** Whether an effect awaits its outcome; without it, a call of it is needless. */
  isOpen(effectId: string): boolean {
    const at = effectId.lastIndexOf('@');
    return this.actors.get(effectId.slice(0, at))?.state.effects.get(effectId.slice(at + 1)) !== undefined;
  }

  /** Something that has not come to its end, or undefined. */
  unsettled(): string | undefined {
    for (const [name, { state }] of this.actors) {
      if (state.turn !== undefined) return `${name}: turn ${state.turn.seq} (${state.turn.taskId}) is open`;
      if (state.stash.length > 0) return `${name}: ${state.stash.length} inputs wait`;
      for (const effect of state.effects.values()) return `${name}: effect ${effect.id} (${effect.src}) is open`;
      for (const timer of state.timers.values()) return `${name}: timer ${timer.id} has not fired`;
    }
    for (const [partition, undelivered] of this.#undelivered.entries()) {
      for (const seq of undelivered.keys()) return `partition ${partition}: a message of entry ${seq} is not delivered`;
    }
    return undefined;
  }

  appended(message: MemoryMessage, partition: number): void {
    const entry = decodeEntry(message);
    this.entries++;
    this.digest = hash53(`${this.digest}:${message.seq}:${message.at}:${message.subject}`) ^ hash53(message.payload);
    this.#journal[partition]!.push(message);
    if (message.verb === 'event') this.#checkSent(entry.body as InternalBody, message);
    else if (entry.body.kind === 'task' && entry.body.taskId !== undefined && !this.firstStored.has(entry.body.taskId))
      this.firstStored.set(entry.body.taskId, message.at);
    const address = { type: message.type, key: message.keyToken };
    const name = formatAddress(address);
    let actor = this.actors.get(name);
    if (actor === undefined) {
      const state = emptyState(address, this.#definition.version, this.#definition.hash);
      actor = { state, states: new Map(), seqs: [], covered: 0, snapshotSeq: 0 };
      this.actors.set(name, actor);
    }
    const before = actor.state;
    const { state, effects } = step(this.#definition, before, entry, message.payload.length);
    actor.state = state;
    if (state.now < before.now) this.#violations.add('time went back', `${name} at ${message.seq}`);
    if (entry.body.kind === 'tick') this.#fired.delete(name);
    if (entry.body.kind === 'outcome') this.#checkEnded(name, before, state, entry.body.effectId);
    actor.states.set(message.seq, state);
    actor.seqs.push(message.seq);
    for (const effect of effects) this.#note(name, effect, message.seq, partition);
  }

  snapshotSaved(subject: string, saved: { seq: number; count: number; hash: string; bytes: Uint8Array }): void {
    this.snapshots++;
    const name = `${TYPE}/${subject.slice(subject.lastIndexOf('.') + 1)}`;
    const actor = this.actors.get(name);
    const state = actor?.states.get(saved.seq);
    if (actor === undefined || state === undefined) {
      this.#violations.add('a snapshot of nothing', `${name} at ${saved.seq}`);
      return;
    }
    const hash = String(hash53(encodeState(storeState(this.#definition, state))));
    if (hash !== saved.hash || state.count !== saved.count)
      this.#violations.add('a wrong snapshot', `${name} at ${saved.seq}: count ${saved.count}, true ${state.count}`);
    if (saved.seq < actor.snapshotSeq)
      this.#violations.add('a snapshot went back', `${name} from ${actor.snapshotSeq} to ${saved.seq}`);
    actor.snapshotSeq = saved.seq;
    actor.covered = 0;
    while (actor.covered < actor.seqs.length && actor.seqs[actor.covered]! <= saved.seq) actor.covered++;
  }

  tickFired({ address, token }: { address: ActorAddress; token: number }): void {
    const name = formatAddress(address);
    this.#fired.set(name, (this.#fired.get(name) ?? new Set()).add(token));
  }

  tickRemoved({ address, token }: { address: ActorAddress; token: number }): void {
    const name = formatAddress(address);
    if (this.#fired.get(name)?.has(token))
      this.#violations.add('a wake-up was removed before its entry was stored', name);
  }

  recordPut(key: string, bytes: Uint8Array, connection: string): void {
    const [kind, number] = key.split('.');
    if (kind !== 'checkpoint' && kind !== 'partition') return;
    const record = decodeValue(bytes) as StoredCheckpoint;
    const before = this.#epochs.get(key) ?? 0;
    if (record.epoch < before)
      this.#violations.add(
        'a record went back to an older epoch',
        `${key} by ${connection}: ${before}, ${record.epoch}`,
      );
    this.#epochs.set(key, record.epoch);
    if (kind === 'checkpoint') this.#checkCheckpoint(Number(number), record, connection);
  }

  purging(partition: number, beforeSeq: number, connection: string): void {
    const journal = this.#journal[partition]!;
    let count = 0;
    for (; count < journal.length && journal[count]!.seq < beforeSeq; count++) {
      const message = journal[count]!;
      const actor = this.actors.get(`${message.type}/${message.keyToken}`)!;
      const what = `${connection}: entry ${message.seq} of ${message.type}/${message.keyToken}`;
      if (message.seq > actor.snapshotSeq) this.#violations.add('purged what no snapshot covers', what);
      // Server clocks differ by up to four seconds.
      if (this.#now() - message.at < LEASE_MS - 4_000)
        this.#violations.add('purged what is younger than a lease', what);
    }
    this.purged += count;
    journal.splice(0, count);
  }

  #checkCheckpoint(partition: number, { done, mark, woken }: StoredCheckpoint, connection: string): void {
    this.checkpoints++;
    for (const seq of this.#undelivered[partition]!.keys()) {
      if (seq <= done)
        this.#violations.add('the done mark passed what is not delivered', `${connection}: ${seq}, ${done}`);
    }
    if (mark > done + 1) this.#violations.add('the mark passed the done mark', `${connection}: ${mark}, ${done}`);
    const { partitionOf } = this;
    for (const [name, actor] of this.actors) {
      if (partitionOf(name) !== partition) continue;
      if (actor.seqs.at(-1)! < mark && runsSomething(actor.state) && !woken.includes(name))
        this.#violations.add('an actor whose effect is open is not on the list', `${connection}: ${name}, ${mark}`);
      const uncovered = actor.seqs[actor.covered];
      if (uncovered !== undefined && uncovered < mark)
        this.#violations.add(
          'the mark passed what no snapshot covers',
          `${connection}: ${name} at ${uncovered}, ${mark}`,
        );
    }
  }

  /** Set by the world: it knows the journal's hash. */
  partitionOf: (name: string) => number = () => -1;

  /** What arrives must be what somebody's entry caused. */
  #checkSent(body: InternalBody, message: MemoryMessage): void {
    if (body.kind === 'ask' || body.kind === 'message') {
      const content = JSON.stringify(body.kind === 'ask' ? body.payload : body.event);
      this.#deliver(this.#sends.get(body.effectId), content, `${body.effectId} at ${message.seq}`);
      return;
    }
    if (body.kind !== 'outcome') return;
    const answer = this.#answers.get(body.effectId);
    if (answer !== undefined) {
      this.#deliver(answer, JSON.stringify(body.result), `answer to ${body.effectId} at ${message.seq}`);
      return;
    }
    if (!this.#calls.has(body.effectId))
      this.#violations.add('an outcome of nothing that is open', `${body.effectId} at ${message.seq}`);
  }

  /** An outcome ends its own effect and no other. */
  #checkEnded(name: string, before: ActorState, after: ActorState, effectId: string): void {
    for (const { id } of before.effects.values()) {
      if (after.effects.get(id) === undefined && `${name}@${id}` !== effectId)
        this.#violations.add('an outcome ended another effect', `${effectId} ended ${id} of ${name}`);
    }
  }

  #deliver(sent: TrueEffect | undefined, content: string, what: string): void {
    if (sent === undefined) {
      this.#violations.add('a message that no stored entry caused', what);
      return;
    }
    if (sent.content !== content)
      this.#violations.add('a message with another content', `${what}: ${content}, true ${sent.content}`);
    if (sent.delivered) return;
    sent.delivered = true;
    const undelivered = this.#undelivered[sent.partition]!;
    const left = undelivered.get(sent.seq)! - 1;
    if (left === 0) undelivered.delete(sent.seq);
    else undelivered.set(sent.seq, left);
  }

  #note(name: string, effect: Effect, seq: number, partition: number): void {
    const id = `${name}@${effect.id}`;
    if (effect.kind === 'invoke') this.#calls.add(id);
    else if (effect.kind === 'reply') {
      this.replies.set(id, effect);
      if (!effect.outcome.ok && effect.outcome.error.code !== 'TooLate') this.refused.add(effect.taskId);
    } else if (effect.kind === 'ask' || effect.kind === 'send' || effect.kind === 'answer') {
      const content = effect.kind === 'ask' ? effect.payload : effect.kind === 'send' ? effect.event : effect.outcome;
      const sent = { effect, content: JSON.stringify(content), partition, seq, delivered: false };
      if (effect.kind === 'answer') this.#answers.set(effect.effectId, sent);
      else this.#sends.set(id, sent);
      const undelivered = this.#undelivered[partition]!;
      undelivered.set(seq, (undelivered.get(seq) ?? 0) + 1);
    }
  }

  /** Names of all actors that a world can have. */
  static names(actors: number): string[] {
    return Array.from({ length: actors }, (_, at) => `${TYPE}/${keyOf(at)}`);
  }
}

/** Whether its owner runs an effect of it. */
function runsSomething(state: ActorState): boolean {
  for (const { kind } of state.effects.values()) if (kind !== 'ask') return true;
  return false;
}
