/**
 * Copies of streams, taken while they are in use and brought back into an empty account, in the form that the `nats` tool
 * reads and writes too: `<folder>/<stream>/backup.json` and `stream.tar.s2`.
 *
 * Invariants
 * 1. Journals are copied last. What is derived from them (snapshots, marks, wake-ups) then never runs ahead of them; what lies
 *    between is folded again.
 * 2. Purge removes entries of ten minutes and older. So the copies must have begun within `SPREAD_MS_MAX` of each other, else a
 *    journal could lack what an older copy of the snapshots doesn't cover yet: the backup fails.
 * 3. A stream that exists is never overwritten.
 * 4. A copy counts only when it came to its end: `backup.json` is written last.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortError } from '@troupe/runtime';
import { TroupeError } from '@troupe/wire';
import type { Msg } from 'nats';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connect.ts';
import { statusOf, statusText } from './header-block.ts';
import { JsApi, type StreamConfig, type StreamState } from './js-api.ts';
import { headerText } from './message-bytes.ts';

/** What became of one stream. */
export interface StreamBackup {
  readonly stream: string;
  readonly messages: number;
  /** Of the file, compressed. */
  readonly bytes: number;
}

interface Description {
  readonly config: StreamConfig;
  readonly state: StreamState;
}

const CHUNK_BYTES = 128 * 1024;
/** Longest silence in the middle of a copy, ms. */
const SILENCE_MS_MAX = 30_000;
/** How long the servers of a cluster have to tell each other who takes the parts, and how often that is tried, ms. */
const INTEREST_MS_MAX = 5_000;
const INTEREST_STEP_MS = 50;
const SPREAD_MS_MAX = 5 * 60_000;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const EMPTY = new Uint8Array(0);

/**
 * Copies every stream of a configuration into `folder`, which must not hold a copy yet.
 *
 * @throws TroupeError `ConfigInvalid` when there is a copy already; `Timeout` when it took so long that the copies don't belong
 *   together; PortError `denied`, `timeout` or `disconnected`
 * @example await backupStreams(connection, resolveConfig(), '/backups/2026-01-31');
 */
export async function backupStreams(
  connection: Connection,
  config: NatsConfig,
  folder: string,
): Promise<StreamBackup[]> {
  const api = new JsApi(connection, config.apiPrefix);
  const done: StreamBackup[] = [];
  const startedAtMs = performance.now();
  for (const stream of streamNames(config)) {
    if ((await api.streamInfo(stream)) === undefined) continue;
    if (performance.now() - startedAtMs > SPREAD_MS_MAX) {
      throw new TroupeError(
        'Timeout',
        `The backup took more than ${SPREAD_MS_MAX / 60_000} minutes before it came to ${stream}, so the copies would not belong together. Stop the workers meanwhile (tasks are accepted all the same), and copy again into another folder.`,
      );
    }
    done.push(await backupStream(connection, config, stream, folder));
  }
  return done;
}

/**
 * Brings every copy in `folder` back. Streams of these names must not exist, and no worker may run.
 *
 * @throws TroupeError `StreamMismatch` when a stream exists; PortError `denied`, `timeout`, `disconnected` or `other`
 */
export async function restoreStreams(
  connection: Connection,
  config: NatsConfig,
  folder: string,
): Promise<StreamBackup[]> {
  const api = new JsApi(connection, config.apiPrefix);
  const names = streamNames(config).filter((stream) => existsSync(join(folder, stream, 'backup.json')));
  if (names.length === 0) {
    throw new TroupeError('ConfigInvalid', `${folder} holds no copy of any of ${streamNames(config).join(', ')}.`);
  }
  for (const stream of names) {
    if ((await api.streamInfo(stream)) === undefined) continue;
    throw new TroupeError(
      'StreamMismatch',
      `Stream ${stream} exists; delete it first if the copy is to take its place.`,
    );
  }
  const done: StreamBackup[] = [];
  for (const stream of names) done.push(await restoreStream(api, config, stream, folder));
  return done;
}

/** Invariant 1. */
function streamNames(config: NatsConfig): string[] {
  return [...Object.values(config.streams), ...config.journals.map(({ name }) => name)];
}

async function backupStream(
  connection: Connection,
  config: NatsConfig,
  stream: string,
  folder: string,
): Promise<StreamBackup> {
  const dir = join(folder, stream);
  if (existsSync(dir)) throw new TroupeError('ConfigInvalid', `${dir} exists already: choose another folder.`);
  mkdirSync(dir, { recursive: true, mode: FOLDER_MODE });
  const file = openSync(join(dir, 'stream.tar.s2'), 'wx', FILE_MODE);
  const receiver = new ChunkReceiver(connection, file);
  try {
    const request = { deliver_subject: receiver.inbox, no_consumers: true, chunk_size: CHUNK_BYTES };
    const api = new JsApi(connection, config.apiPrefix);
    const { config: found, state } = await api.call<Description>(`STREAM.SNAPSHOT.${stream}`, request, SILENCE_MS_MAX);
    const bytes = await receiver.ended;
    const description = { config: found, state };
    writeFileSync(join(dir, 'backup.json'), JSON.stringify(description, null, 2), { mode: FILE_MODE });
    return { stream, messages: state.messages, bytes };
  } finally {
    receiver.close();
    closeSync(file);
  }
}

/** Takes the parts of a copy as they come, and asks for more by acknowledging them. */
class ChunkReceiver {
  readonly inbox: string;
  readonly ended: Promise<number>;
  readonly #connection: Connection;
  readonly #file: number;
  readonly #subscription: { unsubscribe(): void };
  #bytes = 0;
  #silence: NodeJS.Timeout | undefined;
  #resolve!: (bytes: number) => void;
  #reject!: (error: Error) => void;

  constructor(connection: Connection, file: number) {
    this.#connection = connection;
    this.#file = file;
    this.inbox = connection.createInbox();
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended.catch(() => undefined);
    this.#subscription = connection.nc.subscribe(this.inbox, {
      callback: (error, msg) => (error === null ? this.#take(msg) : this.#reject(error)),
    });
    this.#expect();
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#subscription.unsubscribe();
  }

  #take(msg: Msg): void {
    this.#expect();
    const block = headerText(msg);
    const status = block === '' ? 0 : statusOf(block);
    if (status >= 400) {
      this.#reject(new PortError('other', `the copy was broken off: ${statusText(block)} (${status})`));
    } else if (msg.data.length === 0) this.#resolve(this.#bytes);
    else {
      try {
        writeSync(this.#file, msg.data);
        this.#bytes += msg.data.length;
        if (msg.reply) this.#connection.nc.publish(msg.reply, EMPTY);
      } catch (error) {
        this.#reject(error as Error);
      }
    }
  }

  #expect(): void {
    clearTimeout(this.#silence);
    const late = () => this.#reject(new PortError('timeout', `no part of the copy came within ${SILENCE_MS_MAX} ms`));
    this.#silence = setTimeout(late, SILENCE_MS_MAX);
  }
}

async function restoreStream(api: JsApi, config: NatsConfig, stream: string, folder: string): Promise<StreamBackup> {
  const description = JSON.parse(readFileSync(join(folder, stream, 'backup.json'), 'utf8')) as Description;
  const { deliver_subject: target } = await api.call<{ deliver_subject: string }>(
    `STREAM.RESTORE.${stream}`,
    { config: { ...description.config, num_replicas: config.replicas }, state: description.state },
    SILENCE_MS_MAX,
  );
  const file = openSync(join(folder, stream, 'stream.tar.s2'), 'r');
  let bytes = 0;
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      assertAnswer(stream, await giveChunk(api, target, chunk.subarray(0, length)));
      bytes += length;
    }
    assertAnswer(stream, await giveChunk(api, target, EMPTY));
  } finally {
    closeSync(file);
  }
  return { stream, messages: description.state.messages, bytes };
}

/**
 * In a cluster our server may hear of the subject later than we do: while nobody takes a part, nobody has got it, and it is
 * given again.
 */
export async function giveChunk(
  { connection }: Pick<JsApi, 'connection'>,
  target: string,
  chunk: Uint8Array,
): Promise<Uint8Array> {
  for (const endAt = performance.now() + INTEREST_MS_MAX; ; await sleep(INTEREST_STEP_MS)) {
    try {
      return (await connection.requests.request(target, chunk, undefined, SILENCE_MS_MAX)).data;
    } catch (error) {
      if (!(error instanceof PortError) || error.kind !== 'no-responders' || performance.now() > endAt) throw error;
    }
  }
}

/** Empty for a part that was taken; JSON at the end, and when something is wrong. */
function assertAnswer(stream: string, data: Uint8Array): void {
  if (data.length === 0) return;
  const { error } = JSON.parse(Buffer.from(data).toString('utf8')) as { error?: { description?: string } };
  if (error !== undefined)
    throw new PortError('other', `${stream} was not restored: ${error.description ?? 'refused'}`);
}
