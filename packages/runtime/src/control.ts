/**
 * What a worker answers: asks, queries, control requests.
 *
 * Invariants
 * 1. A query never creates an actor, never delays a turn, and is answered by the owner only, with a
 *    fresh lease and from the head of its partition.
 * 2. An `ask` is only a durable task published on the caller's behalf; its outcome comes from the
 *    turn. Silence means unknown; `NotAccepted` means that nothing was stored.
 * 3. Answers go through `Answerable`: to inboxes only, and without throwing.
 */
import { describeState, describeTimers } from '@troupe/core';
import {
  type ActorAddress,
  assertType,
  decodeEntry,
  decodeKey,
  decodeValue,
  encodeKey,
  encodePayload,
  encodeValue,
  type FailureRecord,
  formatAddress,
  HEADERS,
  type JournalEntry,
  partitionOf,
  type StoredMessage,
  statusOf,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import { pagesOf } from './answer-pages.ts';
import { Answerable } from './answerable.ts';
import type { LeftRequest } from './calls-elsewhere.ts';
import { listCells } from './cell-listing.ts';
import type { Attempt, OwnerGates } from './owner-gates.ts';
import type { FreedPartition } from './ownership.ts';
import type { PartitionHost } from './partition-host.ts';
import type { PartitionOwner } from './partition-owner.ts';
import type { BusMessage } from './ports.ts';

/** What answering needs of the worker. */
export interface ControlHost extends PartitionHost {
  readonly gates: OwnerGates;
  owner(partition: number): PartitionOwner | undefined;
  /** Some worker has come or gone: looks who owns what. */
  workersChanged(): void;
  /** A partition is free, and this worker's. */
  take(freed: FreedPartition): Promise<void>;
  stats(): object;
  partitionStats(): readonly object[];
  requestDrain(): void;
}

interface QueryRequest {
  readonly query: string;
  readonly [argument: string]: unknown;
}

const ANSWER_BYTES_MAX = 524_288;
const FORWARD_TIMEOUT_MS = 2_000;
/** Among workers: the partition isn't, or isn't yet, at the one that was asked. */
const NOT_HERE = 'NotHere';
/** Among workers: the owner has not read as far as the query asks for. */
const BEHIND = 'Behind';
const HISTORY_PAGE_MAX = 200;
const HISTORY_LAST_MAX = 1_000;
const HISTORY_BYTES_MAX = 8 * 1_048_576;
const LIST_PAGE_MAX = 200;
const decoder = new TextDecoder();

/** Subscribes everything a worker answers. @returns how to stop. */
export function serveControl(host: ControlHost): { close(): void } {
  const { bus } = host.ports;
  const { subjects } = host;
  const queue = { queue: `${subjects.prefix}-workers` };
  const on = (
    subject: string,
    options: { readonly queue?: string },
    handle: (message: BusMessage) => Promise<void> | void,
  ): { close(): void } =>
    bus.subscribe(subject, options, (received) => {
      const message = new Answerable(received, host);
      void (async () => handle(message))().catch((error: unknown) => respondError(message, toFailureRecord(error)));
    });
  const closers = [
    on(subjects.every('ask'), queue, (message) => answerAsk(host, message)),
    on(subjects.every('query'), queue, (message) => answerQuery(host, message)),
    on(subjects.control('ping', host.workerId), {}, (message) => message.respond(encodePayload({ id: host.workerId }))),
    on(subjects.control('ping'), {}, (message) => message.respond(encodePayload({ id: host.workerId }))),
    on(subjects.control('stats'), {}, (message) => message.respond(encodePayload(host.stats()))),
    on(subjects.control('stats', host.workerId), {}, (message) => message.respond(encodePayload(host.stats()))),
    on(subjects.control('partitions', host.workerId), {}, (message) =>
      message.respond(encodePayload(host.partitionStats())),
    ),
    on(subjects.control('drain', host.workerId), {}, (message) => {
      // JetStream acknowledges to whatever reply subject a publisher names; an acknowledgement is no request.
      if (message.reply === undefined) return;
      message.respond(encodePayload({ id: host.workerId, draining: true }));
      host.requestDrain();
    }),
    on(subjects.control('list'), queue, (message) => answerList(host, message)),
    on(subjects.control('changed'), {}, () => host.workersChanged()),
    on(subjects.control('take', host.workerId), {}, (message) =>
      host.take(decodeValue(message.payload) as FreedPartition),
    ),
    on(subjects.control('left', host.workerId), {}, (message) => answerLeft(host, message)),
    on(subjects.control('cells', host.workerId), {}, (message) => {
      const { afterSeq } = parseQuery(message.payload, 'cells');
      respondValue(message, listCells(host, numberOf(afterSeq, 0)), message.header('Accept') ?? '');
    }),
  ];
  return {
    close: () => {
      for (const one of closers) one.close();
    },
  };
}

// --- ask

async function answerAsk(host: ControlHost, message: BusMessage): Promise<void> {
  const address = addressOf(host, message);
  const headers: Record<string, string> = {};
  for (const name of [
    HEADERS.contentType,
    HEADERS.deadline,
    HEADERS.created,
    HEADERS.input,
    HEADERS.traceparent,
    HEADERS.tracestate,
  ]) {
    const value = message.header(name);
    if (value !== undefined) headers[name] = value;
  }
  headers[HEADERS.taskId] = message.header(HEADERS.taskId) ?? crypto.randomUUID();
  if (message.reply !== undefined) headers[HEADERS.replyTo] = message.reply;
  try {
    await host.ports.journal.publish('task', address, message.payload, headers);
  } catch (error) {
    throw new TroupeError(
      'NotAccepted',
      `The task for ${formatAddress(address)} was not stored: ${error instanceof Error ? error.message : String(error)}. Try again with the same Troupe-Task-Id.`,
      { retryable: true, cause: error },
    );
  }
}

// --- query

async function answerQuery(host: ControlHost, message: BusMessage): Promise<void> {
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
    respondValue(message, answer, accept, host);
    return 'done';
  };
  if (await host.gates.insist(partition, endAtMs, attempt)) return;
  throw new TroupeError(
    'NoOwner',
    `No worker could answer for ${formatAddress(address)} (partition ${partition}) in time. Is a worker running? See troupe doctor.`,
    { retryable: true },
  );
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
  const answer = await answerHere(
    host,
    owner,
    address,
    parseQuery(message.payload),
    numberHeader(message.header('Troupe-Min-Seq')),
    endAtMs,
  );
  if (answer === undefined) lookElsewhere(message, owner.answers ? BEHIND : NOT_HERE);
  else respondValue(message, answer, message.header('Accept') ?? '', host);
}

/** Whoever forwarded it tries again. */
function lookElsewhere(message: BusMessage, code: string): void {
  message.respond(new Uint8Array(0), { [HEADERS.errorCode]: code });
}

/** Subscribes what others forward about one partition. */
export function serveForwarded(host: ControlHost, partition: number): { close(): void } {
  return host.ports.bus.subscribe(host.subjects.ofPartition('forward', partition), {}, (received) => {
    const message = new Answerable(received, host);
    void answerForwarded(host, message).catch((error: unknown) => respondError(message, toFailureRecord(error)));
  });
}

// --- workers among themselves

function answerLeft(host: ControlHost, message: BusMessage): void {
  const { partition, epoch, effects } = decodeValue(message.payload) as LeftRequest;
  const running = host.runner.leftOf(partition, epoch, new Set(effects));
  message.respond(encodeValue({ running }));
}

async function answerHere(
  host: ControlHost,
  owner: PartitionOwner,
  address: ActorAddress,
  request: QueryRequest,
  minSeq: number,
  endAtMs: number,
): Promise<unknown> {
  if (!host.definitions.has(address.type)) {
    throw new TroupeError(
      'UnknownActorType',
      `No worker has actors of type '${address.type}'. Known types: ${[...host.definitions.keys()].sort().join(', ')}.`,
    );
  }
  while (owner.position < minSeq) {
    if (!owner.answers || host.clock.monotonic() >= endAtMs) return undefined;
    await sleep(host, 5);
  }
  const cell = await owner.stateOf(address, encodeKey(address.key));
  if (!owner.answers) return undefined;
  if (cell === undefined) throw notFound(address);
  if (cell.suspended !== undefined && request.query !== 'history') throw cell.suspended;
  const handler = Object.hasOwn(QUERIES, request.query) ? QUERIES[request.query] : undefined;
  if (handler === undefined) {
    throw new TroupeError(
      'InvalidPayload',
      `There is no query '${request.query}'. Known: ${Object.keys(QUERIES).join(', ')}.`,
    );
  }
  return handler(host, cell, request);
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

// --- list

async function answerList(host: ControlHost, message: BusMessage): Promise<void> {
  const request = parseQuery(message.payload, 'list');
  const limit = Math.min(numberOf(request.limit, LIST_PAGE_MAX), LIST_PAGE_MAX);
  const after = typeof request.after === 'string' ? request.after : '';
  const type = typeof request.type === 'string' ? request.type : undefined;
  const names = new Set<string>();
  for await (const { address } of host.ports.snapshots.list(type === undefined ? {} : { type }))
    names.add(formatAddress(address));
  for (let partition = 0; partition < host.ports.journal.partitions; partition++) {
    for (const cell of host.owner(partition)?.cells.values() ?? []) {
      if ((type === undefined || cell.address.type === type) && (cell.state?.seq ?? 0) > 0)
        names.add(formatAddress(cell.address));
    }
  }
  const page = [...names]
    .filter((name) => name > after)
    .sort()
    .slice(0, limit + 1);
  const more = page.length > limit;
  const shown = more ? page.slice(0, limit) : page;
  const actors = shown.map((name) => {
    const at = name.indexOf('/');
    const address = { type: name.slice(0, at), key: name.slice(at + 1) };
    const cell = host
      .owner(partitionOf(address, host.ports.journal.partitions))
      ?.cells.get(`${address.type}.${encodeKey(address.key)}`);
    const state = cell?.state;
    const view = state?.machine === undefined ? undefined : cell?.definition.driver.view(state.machine);
    return {
      ...address,
      loaded: cell !== undefined,
      seq: state?.seq,
      status: cell?.suspended ? 'suspended' : view?.status,
      value: view?.value,
    };
  });
  respondValue(message, { actors, ...(more ? { next: shown.at(-1) } : {}) }, message.header('Accept') ?? '');
}

// --- shared

/** Of `<prefix>.<verb>.<type>.<key>`. @throws TroupeError `InvalidType`, `InvalidKey` with the right spelling. */
function addressOf(host: ControlHost, { subject }: BusMessage): ActorAddress {
  const [, type = '', ...rest] = subject.slice(host.subjects.prefix.length + 1).split('.');
  assertType(type);
  return { type, key: decodeKey(rest.join('.')) };
}

function notFound(address: ActorAddress): TroupeError {
  return new TroupeError(
    'NotFound',
    `There is no actor ${formatAddress(address)}: nothing was ever sent to it. Check the key; a query never creates an actor.`,
  );
}

function parseQuery(payload: Uint8Array, fallback = 'state'): QueryRequest {
  const text = decoder.decode(payload).trim();
  if (text === '') return { query: fallback };
  if (!text.startsWith('{')) return { query: text };
  try {
    const value = JSON.parse(text) as { query?: unknown };
    return { ...value, query: typeof value.query === 'string' ? value.query : fallback };
  } catch {
    throw new TroupeError(
      'InvalidPayload',
      'A query is a name such as "state", or JSON such as {"query":"history","last":20}.',
    );
  }
}

function timeoutOf(request: QueryRequest): number {
  return typeof request.timeoutMs === 'number' && request.timeoutMs > 0 ? request.timeoutMs : 5_000;
}

/** @param host of queries: their answers may come in pages. */
function respondValue(message: BusMessage, value: unknown, accept: string, host?: ControlHost): void {
  const msgpack = accept.includes('application/msgpack');
  const payload = msgpack ? encodeValue(value) : encodePayload(jsonable(value));
  const contentType = msgpack ? 'application/msgpack' : 'application/json';
  if (host !== undefined) {
    pagesOf(host).respond(message, payload, contentType);
    return;
  }
  if (payload.length > ANSWER_BYTES_MAX) {
    throw new TroupeError(
      'PayloadTooLarge',
      `The answer takes ${payload.length} bytes; at most ${ANSWER_BYTES_MAX} are sent. Ask for less, with a lower limit.`,
    );
  }
  message.respond(payload, { [HEADERS.contentType]: contentType });
}

function respondError(message: BusMessage, error: FailureRecord): void {
  if (message.reply === undefined) return;
  message.respond(encodePayload(error), {
    [HEADERS.contentType]: 'application/json',
    [HEADERS.errorCode]: String(statusOf(error.code)),
    [HEADERS.errorText]: error.message.replace(/[\r\n]+/g, ' ').slice(0, 500),
  });
}

/** For people and JSON clients: what JSON can't hold is shown as text. */
function jsonable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => {
      if (typeof item === 'bigint') return `${item}n`;
      if (item instanceof Map) return Object.fromEntries([...item].map(([k, v]) => [String(k), v]));
      if (item instanceof Set) return [...item];
      if (item instanceof Error) return { name: item.name, message: item.message };
      if (typeof item === 'function' || typeof item === 'symbol') return String(item);
      return item;
    }) ?? 'null',
  );
}

function numberHeader(text: string | undefined): number {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : 0;
}

function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

function sleep(host: ControlHost, ms: number): Promise<void> {
  return new Promise((resolve) => {
    host.clock.setTimer(resolve, ms);
  });
}
