/**
 * Every subject that Troupe uses, built and read in one place.
 *
 * Invariants
 * 1. Everything published goes through `assertSubject`: one subject with a space makes the server drop the whole
 *    connection, with everybody's messages on it.
 * 2. Types are checked and keys encoded here, so no caller ever joins tokens itself.
 * 3. The stored subject carries the partition, put there by the stream's own subject transform. What the transform does
 *    not match keeps its subject and is read as partition 0 with `matched: false`, so that nothing acknowledged vanishes.
 *
 * Checked against a real nats-server in `test/subjects.server.test.ts`: the transform's source needs one wildcard per
 * token after the prefix; `partition(N,2,3)` and `wildcard(n)` count wildcards from 1, so a prefix of several tokens
 * changes nothing.
 */
import { type ActorAddress, assertType, encodeKey } from './address.ts';
import { assertTaskId } from './headers.ts';
import { PARTITIONS_DEFAULT } from './partition.ts';
import type { JournalVerb } from './record.ts';
import type { SubjectVerb } from './reserved.ts';
import { TroupeError } from './troupe-error.ts';

/** First token of every subject unless configured otherwise (`TROUPE_PREFIX`). */
export const PREFIX_DEFAULT = 'troupe';

/** Most characters of a subject; the longest of ours takes about 1,100. The server's control line holds 4,096 bytes. */
export const SUBJECT_LENGTH_MAX = 2_048;

const PREFIX_PATTERN = /^[A-Za-z0-9_-]{1,32}(\.[A-Za-z0-9_-]{1,32}){0,3}$/;
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;

/** What a stored subject says. */
export interface StoredSubject {
  /** Partition of the journal, from 0. */
  readonly partition: number;
  readonly verb: JournalVerb;
  /** Type token, unchecked. */
  readonly type: string;
  /** Key token as it stands; with dots in it when the subject had too many tokens, empty when it had too few. */
  readonly keyToken: string;
  /** False for what the transform did not match: never a valid address, decoding it gives `InvalidKey`. */
  readonly matched: boolean;
}

/** A subject that names an actor, read but not checked. */
export interface ActorSubject {
  readonly verb: SubjectVerb;
  readonly type: string;
  readonly keyToken: string;
}

/** Where a parked entry lies, read but not checked. */
export interface ParkedSubject extends ActorSubject {
  readonly partition: number;
  readonly seq: number;
}

/** The subject transform of a journal stream, as JetStream takes it. */
export interface SubjectTransform {
  readonly src: string;
  readonly dest: string;
}

/** Builders and readers for one prefix. Builders throw `InvalidType`, `InvalidKey`, `InvalidTaskId` or `InvalidSubject`. */
export interface Subjects {
  readonly prefix: string;

  // What clients use
  task(address: ActorAddress): string;
  signal(address: ActorAddress): string;
  ask(address: ActorAddress): string;
  query(address: ActorAddress): string;
  /** Outcomes of turns and emitted events. */
  out(address: ActorAddress): string;
  /** Tokens and progress of one turn. A task without an id is named by its sequence. */
  stream(address: ActorAddress, taskId: string): string;
  /** Dead letter of a journal sequence; without an address under `invalid.invalid`. */
  dead(address: ActorAddress | undefined, seq: number): string;
  /** Observations of one actor. */
  inspect(address: ActorAddress): string;
  /** Requests to all workers, or to one: `<prefix>.control.<verb>[.<worker>]`. */
  control(verb: string, worker?: string): string;

  // Internal: clients have no permission to publish here
  event(address: ActorAddress): string;
  snapshot(partition: number, address: ActorAddress): string;
  /** Where the wake-up of an actor is set or moved by the owner of that epoch. */
  tickSet(partition: number, epoch: number, address: ActorAddress): string;
  /** Where it appears once due: the schedule's target. */
  tickDue(partition: number, epoch: number, address: ActorAddress): string;
  /** The copy of an entry whose actor is suspended, or whose type nobody defines now; sequence 0: what may fold them. */
  parked(partition: number, address: ActorAddress, seq: number): string;
  /** A query on its way from the worker that took it to the owner of the partition. */
  forward(partition: number, address: ActorAddress): string;
  /** The subject under which the journal stores what was published to `verb`. Never published to directly. */
  stored(partition: number, verb: JournalVerb, address: ActorAddress): string;

  // Filters for subscriptions, consumers and streams
  /** `<prefix>.<verb>.>` */
  every(verb: SubjectVerb): string;
  /** `<prefix>.<verb>.<type>.>` */
  ofType(verb: SubjectVerb, type: string): string;
  /** `<prefix>.<verb>.<partition>.>`, for the verbs that carry a partition. */
  ofPartition(verb: 'snapshot' | 'parked' | 'forward' | 'journal', partition: number): string;
  /** `<prefix>.tick.due.<partition>.>` or `.set.` */
  ticksOf(which: 'set' | 'due', partition: number): string;
  /** Every dead letter of one actor. */
  deadOf(address: ActorAddress): string;
  /** Every stream of one actor. */
  streamsOf(address: ActorAddress): string;
  /** What the journal stream captures. */
  journalSubjects(): string[];
  /** Its subject transform; `partitions` is fixed for the stream's life (default 64). */
  journalTransform(partitions?: number): SubjectTransform;
  /** What the reader of a partition filters by; that of partition 0 includes what the transform did not match. */
  journalFilters(partition: number): string[];
  /** Every parked entry of one actor. */
  parkedOf(partition: number, address: ActorAddress): string;
  /** Every entry of one actor. */
  storedOf(partition: number, address: ActorAddress): string;

  // Readers
  /** Reads a subject of the journal stream; undefined when it is none of ours. Never throws. */
  parseStored(subject: string): StoredSubject | undefined;
  /** Reads `<prefix>.parked.<partition>.<type>.<key>.<sequence>`; undefined when it isn't one. Never throws. */
  parseParked(subject: string): ParkedSubject | undefined;
  /** Reads `<prefix>.<verb>.<type>.<key>` and the partitioned verbs likewise; undefined when it isn't one. Never throws. */
  parseActor(subject: string): ActorSubject | undefined;
}

/**
 * Throws `InvalidSubject` unless something can be published to `subject`: 1 to 2,048 characters, no white space or
 * control character, no empty token, no wildcard token. Returns it.
 */
export function assertSubject(subject: string): string {
  if (subject.length === 0 || subject.length > SUBJECT_LENGTH_MAX) {
    throw invalidSubject(subject, `has ${subject.length} characters, allowed are 1 to ${SUBJECT_LENGTH_MAX}`);
  }
  let tokenLength = 0;
  for (let i = 0; i < subject.length; i++) {
    const c = subject.charCodeAt(i);
    if (c === 0x2e) {
      if (tokenLength === 0) throw invalidSubject(subject, 'has an empty token');
      tokenLength = 0;
      continue;
    }
    if (c <= 0x20 || c === 0x7f) throw invalidSubject(subject, 'holds white space or a control character');
    if (c === 0x2a || c === 0x3e) throw invalidSubject(subject, 'holds a wildcard');
    tokenLength++;
  }
  if (tokenLength === 0) throw invalidSubject(subject, 'has an empty token');
  return subject;
}

/**
 * Builders and readers for a prefix of 1 to 4 tokens of letters, digits, `_` and `-`. Throws `ConfigInvalid` otherwise.
 *
 * @example
 * const subjects = createSubjects();
 * subjects.task({ type: 'support', key: 'john.doe' }); // 'troupe.task.support.john=2Edoe'
 */
export function createSubjects(prefix: string = PREFIX_DEFAULT): Subjects {
  if (!PREFIX_PATTERN.test(prefix)) {
    throw new TroupeError(
      'ConfigInvalid',
      `Prefix ${JSON.stringify(prefix)} is not 1 to 4 tokens of letters, digits, _ and -: set TROUPE_PREFIX to one that is.`,
      { details: { prefix } },
    );
  }
  return new PrefixedSubjects(prefix);
}

const JOURNAL_VERBS: ReadonlySet<string> = new Set(['task', 'signal', 'event']);
const ACTOR_VERBS: ReadonlySet<string> = new Set(['task', 'signal', 'ask', 'query', 'event', 'out', 'inspect']);
const PARTITIONED_VERBS: ReadonlySet<string> = new Set(['snapshot', 'parked', 'forward']);

class PrefixedSubjects implements Subjects {
  readonly prefix: string;
  readonly #head: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.#head = `${prefix}.`;
  }

  task(address: ActorAddress): string {
    return this.#of('task', address);
  }
  signal(address: ActorAddress): string {
    return this.#of('signal', address);
  }
  ask(address: ActorAddress): string {
    return this.#of('ask', address);
  }
  query(address: ActorAddress): string {
    return this.#of('query', address);
  }
  out(address: ActorAddress): string {
    return this.#of('out', address);
  }
  event(address: ActorAddress): string {
    return this.#of('event', address);
  }
  inspect(address: ActorAddress): string {
    return this.#of('inspect', address);
  }
  stream(address: ActorAddress, taskId: string): string {
    assertTaskId(taskId);
    return assertSubject(`${this.#of('stream', address)}.${taskId}`);
  }
  dead(address: ActorAddress | undefined, seq: number): string {
    const tokens = address === undefined ? 'invalid.invalid' : tokensOf(address);
    return assertSubject(`${this.#head}dead.${tokens}.${whole('sequence', seq)}`);
  }
  control(verb: string, worker?: string): string {
    const tail = worker === undefined ? '' : `.${token('worker', worker)}`;
    return assertSubject(`${this.#head}control.${token('verb', verb)}${tail}`);
  }
  snapshot(partition: number, address: ActorAddress): string {
    return this.#in('snapshot', partition, address);
  }
  tickSet(partition: number, epoch: number, address: ActorAddress): string {
    return this.#tick('set', partition, epoch, address);
  }
  tickDue(partition: number, epoch: number, address: ActorAddress): string {
    return this.#tick('due', partition, epoch, address);
  }
  parked(partition: number, address: ActorAddress, seq: number): string {
    return assertSubject(`${this.#in('parked', partition, address)}.${whole('sequence', seq)}`);
  }
  forward(partition: number, address: ActorAddress): string {
    return this.#in('forward', partition, address);
  }
  stored(partition: number, verb: JournalVerb, address: ActorAddress): string {
    return assertSubject(`${this.#head}journal.${whole('partition', partition)}.${verb}.${tokensOf(address)}`);
  }

  every(verb: SubjectVerb): string {
    return `${this.#head}${verb}.>`;
  }
  ofType(verb: SubjectVerb, type: string): string {
    assertType(type);
    return `${this.#head}${verb}.${type}.>`;
  }
  ofPartition(verb: 'snapshot' | 'parked' | 'forward' | 'journal', partition: number): string {
    return `${this.#head}${verb}.${whole('partition', partition)}.>`;
  }
  ticksOf(which: 'set' | 'due', partition: number): string {
    return `${this.#head}tick.${which}.${whole('partition', partition)}.>`;
  }
  deadOf(address: ActorAddress): string {
    return `${this.#head}dead.${tokensOf(address)}.*`;
  }
  streamsOf(address: ActorAddress): string {
    return `${this.#head}stream.${tokensOf(address)}.*`;
  }
  journalSubjects(): string[] {
    return [this.every('task'), this.every('signal'), `${this.#head}event.*.*`];
  }
  journalTransform(partitions: number = PARTITIONS_DEFAULT): SubjectTransform {
    if (!Number.isInteger(partitions) || partitions < 1) {
      throw new TroupeError('ConfigInvalid', `Partition count ${partitions} is not a positive integer.`);
    }
    return {
      src: `${this.#head}*.*.*`,
      dest: `${this.#head}journal.{{partition(${partitions},2,3)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
    };
  }
  journalFilters(partition: number): string[] {
    const own = this.ofPartition('journal', partition);
    return partition === 0 ? [own, this.every('task'), this.every('signal')] : [own];
  }
  parkedOf(partition: number, address: ActorAddress): string {
    return `${this.#in('parked', partition, address)}.*`;
  }
  storedOf(partition: number, address: ActorAddress): string {
    return `${this.#head}journal.${whole('partition', partition)}.*.${tokensOf(address)}`;
  }

  parseStored(subject: string): StoredSubject | undefined {
    const tokens = this.#tokens(subject);
    if (tokens === undefined) return undefined;
    if (tokens[0] !== 'journal') return unmatched(tokens);
    const [, partition, verb, type, keyToken] = tokens;
    if (tokens.length !== 5 || !isWhole(partition!) || !JOURNAL_VERBS.has(verb!)) return undefined;
    return { partition: Number(partition), verb: verb as JournalVerb, type: type!, keyToken: keyToken!, matched: true };
  }

  parseParked(subject: string): ParkedSubject | undefined {
    const actor = this.parseActor(subject);
    if (actor?.verb !== 'parked') return undefined;
    const tokens = this.#tokens(subject)!;
    const [partition, seq] = [Number(tokens[1]), Number(tokens[4])];
    if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(seq)) return undefined;
    return { ...actor, partition, seq };
  }

  parseActor(subject: string): ActorSubject | undefined {
    const tokens = this.#tokens(subject);
    if (tokens === undefined) return undefined;
    const [verb, ...rest] = tokens as [string, ...string[]];
    const pair = PARTITIONED_VERBS.has(verb) ? rest.slice(1) : verb === 'tick' ? rest.slice(3) : rest;
    const open = verb === 'stream' || verb === 'dead' || verb === 'parked';
    if (!open && verb !== 'tick' && !PARTITIONED_VERBS.has(verb) && !ACTOR_VERBS.has(verb)) return undefined;
    if (pair.length !== (open ? 3 : 2)) return undefined;
    return { verb: verb as SubjectVerb, type: pair[0]!, keyToken: pair[1]! };
  }

  #tokens(subject: string): string[] | undefined {
    return subject.startsWith(this.#head) ? subject.slice(this.#head.length).split('.') : undefined;
  }
  /** Invariants 1 and 2. */
  #of(verb: SubjectVerb, address: ActorAddress): string {
    return assertSubject(`${this.#head}${verb}.${tokensOf(address)}`);
  }
  #tick(which: 'set' | 'due', partition: number, epoch: number, address: ActorAddress): string {
    const place = `${whole('partition', partition)}.${whole('epoch', epoch)}`;
    return assertSubject(`${this.#head}tick.${which}.${place}.${tokensOf(address)}`);
  }
  #in(verb: string, partition: number, address: ActorAddress): string {
    return assertSubject(`${this.#head}${verb}.${whole('partition', partition)}.${tokensOf(address)}`);
  }
}

/** Invariant 3: `task` and `signal` take any number of tokens, and what isn't exactly a type and a key stays as it was. */
function unmatched(tokens: string[]): StoredSubject | undefined {
  const [verb, type = '', ...rest] = tokens;
  if (verb !== 'task' && verb !== 'signal') return undefined;
  return { partition: 0, verb, type, keyToken: rest.join('.'), matched: false };
}

function tokensOf(address: ActorAddress): string {
  assertType(address.type);
  return `${address.type}.${encodeKey(address.key)}`;
}

function whole(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TroupeError('InvalidSubject', `A ${what} of ${value} can't stand in a subject: it is a whole number.`);
}

function token(what: string, value: string): string {
  if (TOKEN_PATTERN.test(value)) return value;
  throw new TroupeError(
    'InvalidSubject',
    `${JSON.stringify(value)} can't stand in a subject as ${what}: use up to 128 letters, digits, _ and -.`,
  );
}

function isWhole(text: string): boolean {
  return /^(0|[1-9][0-9]{0,8})$/.test(text);
}

function invalidSubject(subject: string, why: string): TroupeError {
  const shown = subject.length > 200 ? `${subject.slice(0, 199)}…` : subject;
  return new TroupeError('InvalidSubject', `Subject ${JSON.stringify(shown)} ${why}, so nothing is published to it.`, {
    details: { subject: shown },
  });
}
