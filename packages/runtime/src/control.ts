/**
 * What a worker answers: asks, queries, control requests.
 *
 * Invariants
 * 1. An `ask` is only a durable task published on the caller's behalf; its outcome comes from the
 *    turn. Silence means unknown; `NotAccepted` means that nothing was stored.
 * 2. Answers go through `Answerable`: to inboxes only, and without throwing.
 */
import {
  decodeValue,
  encodeKey,
  encodePayload,
  encodeValue,
  formatAddress,
  HEADERS,
  partitionOf,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import { Answerable } from './answerable.ts';
import type { LeftRequest } from './calls-elsewhere.ts';
import { listCells } from './cell-listing.ts';
import type { FreedPartition } from './ownership.ts';
import type { BusMessage } from './ports.ts';
import { answerQuery } from './queries.ts';
import { addressOf, type ControlHost, numberOf, parseQuery, respondError, respondValue } from './requests.ts';

const LIST_PAGE_MAX = 200;

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

// --- workers among themselves

function answerLeft(host: ControlHost, message: BusMessage): void {
  const { partition, epoch, effects } = decodeValue(message.payload) as LeftRequest;
  const running = host.runner.leftOf(partition, epoch, new Set(effects));
  message.respond(encodeValue({ running }));
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
