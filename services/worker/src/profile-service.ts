/**
 * What operators ask of a live worker's profiler, on `control.profile.<worker>`: JSON requests, JSON answers.
 *
 * Invariants
 * 1. A request has an inbox for its answer, or an address under a configured reply prefix, else it is none: JetStream
 *    acknowledges to whatever subject a publisher names.
 * 2. Files are told in chunks of `CHUNK_BYTES`, each asked for by itself, as base64.
 * 3. While no profile runs, the worker's steps know nothing of it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ActorDefinition } from '@troupe/core';
import { Profiler, SECONDS_MAX } from '@troupe/diagnostics';
import type { BusMessage, Ports, Worker } from '@troupe/runtime';
import { assertReplyTo, createSubjects, encodePayload, TroupeError, toFailureRecord } from '@troupe/wire';

const CHUNK_BYTES = 262_144;
const decoder = new TextDecoder();

interface ProfileRequest {
  readonly op?: unknown;
  readonly seconds?: unknown;
  readonly file?: unknown;
  readonly offset?: unknown;
}

export interface ProfileServiceOptions {
  readonly worker: Worker;
  readonly ports: Ports;
  readonly prefix: string;
  readonly definitions: readonly ActorDefinition[];
  /** Where answers may go besides inboxes, as the worker has it. */
  readonly replyPrefixes: readonly string[];
}

/** Answers until it is closed, which ends a profile and removes its files. */
export function serveProfiles(options: ProfileServiceOptions): { close(): void } {
  const { worker, ports, prefix, definitions, replyPrefixes } = options;
  const types = definitions.map(({ type, machine }) => ({ type, machine }));
  const profiler = new Profiler(types, `Worker ${worker.id}`);
  const instrument = {
    wants: () => true,
    around: <T>(type: string, call: () => T): T => profiler.around(type, call),
    stepped: () => {},
    effect: () => {},
  };
  let quiet = (): void => {};
  const handle = async ({ op, seconds, file, offset }: ProfileRequest): Promise<object> => {
    if (op === 'start') {
      const wanted = typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, SECONDS_MAX) : SECONDS_MAX;
      await profiler.start(wanted, () => quiet());
      quiet = worker.addInstrument(instrument);
      return { started: true, endsAfterSeconds: wanted };
    }
    if (op === 'stop') return profiler.stop(quiet);
    if (op === 'heap') return { files: [await profiler.heap()] };
    if (op === 'read') return readChunk(profiler.file(String(file)).path, typeof offset === 'number' ? offset : 0);
    throw new TroupeError('ConfigInvalid', 'A profiler is asked to start, stop, heap or read.');
  };
  const subject = createSubjects(prefix).control('profile', worker.id);
  const subscription = ports.bus.subscribe(subject, {}, (message) => void answer(message, replyPrefixes, handle));
  return {
    close: () => {
      subscription.close();
      quiet();
      profiler.close();
    },
  };
}

/** Invariant 1. */
async function answer(
  message: BusMessage,
  replyPrefixes: readonly string[],
  handle: (request: ProfileRequest) => Promise<object>,
): Promise<void> {
  try {
    assertReplyTo(message.reply ?? '', replyPrefixes);
    const request = JSON.parse(decoder.decode(message.payload)) as ProfileRequest | null;
    if (typeof request !== 'object' || request === null || request.op === undefined) return;
    message.respond(
      encodePayload(await handle(request).catch((error: unknown) => ({ error: toFailureRecord(error) }))),
    );
  } catch {
    // No request, or nobody to answer to.
  }
}

/** Invariant 2. */
function readChunk(path: string, offset: number): object {
  const bytes = Buffer.alloc(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    const read = readSync(fd, bytes, 0, CHUNK_BYTES, Math.max(0, Math.trunc(offset)));
    return { offset, bytes: bytes.subarray(0, read).toString('base64'), end: read < CHUNK_BYTES };
  } finally {
    closeSync(fd);
  }
}
