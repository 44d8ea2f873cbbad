/**
 * Queries: answered here, or by the owner elsewhere.
 *
 * Invariants
 * 1. A query never creates an actor, never delays a turn, and is answered by the owner only, with a fresh lease and from the head of
 *    its partition.
 * 2. At most `QUERIES_MAX` are under way in a worker; one more is refused with `Busy` at once, which clients try again.
 */
import { describeState, describeTimers } from '@troupe/core';
import {
  type ActorAddress,
  decodeEntry,
  decodeKey,
  encodeKey,
  type FailureRecord,
  failure,
  formatAddress,
  HEADERS,
  type JournalEntry,
  type StoredMessage,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import { pagesOf } from './answer-pages.ts';
import { Answerable } from './answerable.ts';
import { type Attempt, QUERIES_MAX } from './owner-gates.ts';
import type { PartitionOwner } from './partition-owner.ts';
import type { BusMessage } from './ports.ts';
import { retiredError, unknownError } from './refusals.ts';
import {
  addressOf,
  type ControlHost,
  numberOf,
  parseQuery,
  type QueryRequest,
  respondError,
  respondValue,
} from './requests.ts';

const FORWARD_TIMEOUT_MS = 2_000;
/** Among workers: the partition isn't, or isn't yet, at the one that was asked. */
const NOT_HERE = 'NotHere';
/** Among workers: the owner has not read as far as the query asks for. */
const BEHIND = 'Behind';
const HISTORY_PAGE_MAX = 200;
const HISTORY_LAST_MAX = 1_000;
const HISTORY_BYTES_MAX = 8 * 1_048_576;

/** Answers a query, or has its owner answer it. */
export function answerQuery(host: ControlHost, message: BusMessage): Promise<void> {
  return admitted(host, message, async () => {
    if (pagesOf(host).respondNext(message)) return;
    const address = addressOf(host, message);
    const request = parseQuery(message.payload);
    const partition = host.ports.journal.partitionOf(address);
    const minSeq = numberHeader(message.header('Troupe-Min-Seq'));
    const accept = message.header('Accept') ?? '';
    const endAtMs = host.clock.monotonic() + Math.min(timeoutOf(request), 60_000);
    const attempt = async (): Promise<Attempt> => {
      const owner = host.owner(partition);
      // Half given back, or not yet taken over: soon it is known whose it is.
      if (owner?.answers === false) return 'no-owner';
      if (owner === undefined) return forward(host, message, partition, address, accept);
      const answer = await answerHere(host, owner, address, request, minSeq, endAtMs);
      if (answer === undefined) return owner.answers ? 'behind' : 'no-owner';
      respondAnswer(host, message, answer);
      return 'done';
    };
    if (!(await host.gates.insist(partition, endAtMs, attempt))) respondError(message, noOwner(address, partition));
  });
}

/** Takes a query in, unless too many are under way. */
async function admitted(host: ControlHost, message: BusMessage, answer: () => Promise<void>): Promise<void> {
  if (!host.gates.enter()) {
    respondError(message, BUSY);
    return;
  }
  try {
    await answer();
  } finally {
    host.gates.leave();
  }
}

/** Asks the owner elsewhere, if there is one. */
async function forward(
  host: ControlHost,
  message: BusMessage,
  partition: number,
  address: ActorAddress,
  accept: string,
): Promise<Attempt> {
  const minSeq = message.header('Troupe-Min-Seq');
  const page = message.header(HEADERS.page);
  const headers = {
    Accept: accept,
    ...(minSeq === undefined ? {} : { 'Troupe-Min-Seq': minSeq }),
    ...(page === undefined ? {} : { [HEADERS.page]: page }),
  };
  try {
    const answer = await host.ports.bus.request(host.subjects.forward(partition, address), message.payload, {
      timeoutMs: FORWARD_TIMEOUT_MS,
      headers,
    });
    const code = answer.header(HEADERS.errorCode);
    const passed: Record<string, string> = {};
    for (const name of [HEADERS.contentType, HEADERS.errorCode, HEADERS.errorText, HEADERS.page]) {
      const value = answer.header(name);
      if (value !== undefined) passed[name] = value;
    }
    if (code === NOT_HERE) return 'no-owner';
    if (code === BEHIND) return 'behind';
    message.respond(answer.payload, passed);
    return 'done';
  } catch {
    return 'no-owner';
  }
}

async function answerForwarded(host: ControlHost, message: BusMessage): Promise<void> {
  if (pagesOf(host).respondNext(message)) return;
  const tokens = message.subject.slice(host.subjects.prefix.length + 1).split('.');
  const [, partitionToken, type, keyToken] = tokens;
  const owner = host.owner(Number(partitionToken));
  if (type === undefined || keyToken === undefined) return;
  const endAtMs = host.clock.monotonic() + FORWARD_TIMEOUT_MS / 2;
  if (owner?.answers !== true) {
    lookElsewhere(message, NOT_HERE);
    return;
  }
  const address = { type, key: decodeKey(keyToken) };
  const minSeq = numberHeader(message.header('Troupe-Min-Seq'));
  const answer = await answerHere(host, owner, address, parseQuery(message.payload), minSeq, endAtMs);
  if (answer === undefined) lookElsewhere(message, owner.answers ? BEHIND : NOT_HERE);
  else respondAnswer(host, message, answer);
}

/** Whoever forwarded it tries again. */
function lookElsewhere(message: BusMessage, code: string): void {
  message.respond(new Uint8Array(0), { [HEADERS.errorCode]: code });
}

/** Subscribes what others forward about one partition. */
export function serveForwarded(host: ControlHost, partition: number): { close(): void } {
  return host.ports.bus.subscribe(host.subjects.ofPartition('forward', partition), {}, (received) => {
    const message = new Answerable(received, host);
    void admitted(host, message, () => answerForwarded(host, message)).catch((error: unknown) =>
      respondError(message, toFailureRecord(error)),
    );
  });
}

/** An answer, or why there is none; kept as data, for an error with its stack costs more than most answers. */
type Answer = { readonly value: unknown } | { readonly error: FailureRecord };

function respondAnswer(host: ControlHost, message: BusMessage, answer: Answer): void {
  if ('error' in answer) respondError(message, answer.error);
  else respondValue(message, answer.value, message.header('Accept') ?? '', host);
}

/** Undefined when it can't be answered here now. @throws TroupeError */
async function answerHere(
  host: ControlHost,
  owner: PartitionOwner,
  address: ActorAddress,
  request: QueryRequest,
  minSeq: number,
  endAtMs: number,
): Promise<Answer | undefined> {
  if (!host.definitions.has(address.type)) {
    const { type } = address;
    const error = host.retired.has(type) ? retiredError(type) : unknownError(type, host.definitions.keys());
    return { error: toFailureRecord(error) };
  }
  if (owner.position < minSeq) {
    await host.gates.until(() => owner.position >= minSeq || !owner.answers, endAtMs);
    if (owner.position < minSeq) return undefined;
  }
  const cell = await owner.stateOf(address, encodeKey(address.key));
  if (!owner.answers) return undefined;
  if (cell === undefined) return { error: notFound(address) };
  if (cell.suspended !== undefined && request.query !== 'history') throw cell.suspended;
  const handler = Object.hasOwn(QUERIES, request.query) ? QUERIES[request.query] : undefined;
  if (handler === undefined) {
    const known = Object.keys(QUERIES).join(', ');
    return { error: failure('InvalidPayload', `There is no query '${request.query}'. Known: ${known}.`) };
  }
  return { value: await handler(host, cell, request) };
}

const BUSY = failure(
  'Busy',
  `${QUERIES_MAX} queries are under way at this worker already, so this one was not taken. Ask again in a moment.`,
);

function noOwner(address: ActorAddress, partition: number): FailureRecord {
  return failure(
    'NoOwner',
    `No worker could answer for ${formatAddress(address)} (partition ${partition}) in time. Is a worker running? See troupe doctor.`,
  );
}

function notFound(address: ActorAddress): FailureRecord {
  return failure(
    'NotFound',
    `There is no actor ${formatAddress(address)}: nothing was ever sent to it. Check the key; a query never creates an actor.`,
  );
}

type QueryHandler = (host: ControlHost, cell: ActorCell, request: QueryRequest) => Promise<unknown> | unknown;

const QUERIES: Readonly<Record<string, QueryHandler>> = {
  state: (_host, cell) => describeState(cell.definition, cell.state!),
  outcome: (_host, cell, request) => outcomeOf(cell, request),
  timers: (_host, cell) => ({ timers: describeTimers(cell.state!) }),
  history: (host, cell, request) => historyOf(host, cell.address, request),
};

function outcomeOf(cell: ActorCell, request: QueryRequest): object {
  const state = cell.state!;
  const { taskId } = request;
  if (typeof taskId !== 'string')
    throw new TroupeError(
      'InvalidPayload',
      'The query "outcome" needs the taskId it asks for: {"query":"outcome","taskId":"..."}.',
    );
  const found = state.tasks.find(taskId, state.now);
  if (found.kind === 'pending') return { status: 'pending' };
  if (found.kind === 'ended') {
    if (found.outcome === undefined)
      throw new TroupeError('OutcomeExpired', `Task ${taskId} took effect; its outcome is no longer kept.`);
    return { status: 'ended', seq: found.seq, ...found.outcome };
  }
  const recent = state.recent.find((one) => String(one.seq) === taskId);
  if (recent !== undefined) return { status: 'ended', seq: recent.seq, ...recent.outcome };
  const open = state.turn?.taskId === taskId || state.stash.some((one) => one.taskId === taskId);
  return { status: open ? 'pending' : 'unknown' };
}

async function historyOf(host: ControlHost, address: ActorAddress, request: QueryRequest): Promise<object> {
  const range = {
    fromSeq: numberOf(request.fromSeq, 0),
    ...(typeof request.toSeq === 'number' ? { toSeq: request.toSeq } : {}),
  };
  const { last } = request;
  if (typeof last === 'number') {
    const newest = host.ports.journal.readActor(address, { ...range, last });
    return { entries: await lastEntries(host, newest, last) };
  }
  const messages = host.ports.journal.readActor(address, range);
  const limit = Math.min(numberOf(request.limit, HISTORY_PAGE_MAX), HISTORY_PAGE_MAX);
  const entries: JournalEntry[] = [];
  for await (const message of messages) {
    if (entries.length >= limit) return { entries, next: message.seq };
    entries.push(decodeEntry(message, host.decoding));
  }
  return { entries };
}

/** The newest entries; at most `HISTORY_LAST_MAX`, and never more bytes in memory than `HISTORY_BYTES_MAX`. */
async function lastEntries(
  host: ControlHost,
  messages: AsyncIterable<StoredMessage>,
  last: number,
): Promise<JournalEntry[]> {
  if (!(last >= 0 && last <= HISTORY_LAST_MAX)) {
    throw new TroupeError(
      'InvalidPayload',
      `The query "history" was asked for the last ${last} entries; at most ${HISTORY_LAST_MAX} are given at once. Page through a range instead: {"query":"history","fromSeq":1}, then go on at "next".`,
    );
  }
  const kept: StoredMessage[] = [];
  let bytes = 0;
  for await (const message of messages) {
    kept.push(message);
    bytes += message.payload.length;
    if (bytes > HISTORY_BYTES_MAX) {
      throw new TroupeError(
        'PayloadTooLarge',
        `${kept.length} entries in a row take more than ${HISTORY_BYTES_MAX} bytes. Ask for fewer, or page through a range with fromSeq and limit.`,
      );
    }
  }
  return kept.map((message) => decodeEntry(message, host.decoding));
}

function timeoutOf(request: QueryRequest): number {
  return typeof request.timeoutMs === 'number' && request.timeoutMs > 0 ? request.timeoutMs : 5_000;
}

function numberHeader(text: string | undefined): number {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : 0;
}
