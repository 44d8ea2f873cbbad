/** What all requests to a worker have in common: what is needed to answer them, how they are read, how answers are written. */
import {
  type ActorAddress,
  assertType,
  decodeKey,
  encodePayload,
  encodeValue,
  type FailureRecord,
  HEADERS,
  statusOf,
  TroupeError,
} from '@troupe/wire';
import { pagesOf } from './answer-pages.ts';
import type { OwnerGates } from './owner-gates.ts';
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

/** A query as it came, with its arguments. */
export interface QueryRequest {
  readonly query: string;
  readonly [argument: string]: unknown;
}

/** Most bytes of an answer that takes no pages. */
const ANSWER_BYTES_MAX = 524_288;
const decoder = new TextDecoder();

/** Of `<prefix>.<verb>.<type>.<key>`. @throws TroupeError `InvalidType`, `InvalidKey` with the right spelling. */
export function addressOf(host: ControlHost, { subject }: BusMessage): ActorAddress {
  const [, type = '', ...rest] = subject.slice(host.subjects.prefix.length + 1).split('.');
  assertType(type);
  return { type, key: decodeKey(rest.join('.')) };
}

/** @throws TroupeError `InvalidPayload`. */
export function parseQuery(payload: Uint8Array, fallback = 'state'): QueryRequest {
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

/** @param host of queries: their answers may come in pages. */
export function respondValue(message: BusMessage, value: unknown, accept: string, host?: ControlHost): void {
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

/** Tells why there is no answer. */
export function respondError(message: BusMessage, error: FailureRecord): void {
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

/** A finite number, or the fallback. */
export function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}
