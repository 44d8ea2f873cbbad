/**
 * Makes the streams exist as they should, as often as anybody likes.
 *
 * Invariants
 * 1. What exists is never made smaller or different by a default: only what the user set is updated, and every update is
 *    told to `log`.
 * 2. The partition count of a journal is never changed: actors would change partitions and have two journals.
 * 3. A journal with a feature that lets publishers forge or wipe is refused, not used.
 * 4. Two workers may provision at once: who comes second finds everything done.
 */
import { randomUUID } from 'node:crypto';
import { PortError } from '@troupe/runtime';
import { partitionOfTokens, TroupeError } from '@troupe/wire';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connect.ts';
import { JsApi, type StreamConfig, type StreamInfo } from './js-api.ts';
import { API_ERRORS, apiErrorCode } from './port-error.ts';
import { isShareSubject, PROBE_TOKEN, PROBED_TOKEN, type WantedStream, wantedStreams } from './streams.ts';

export type ProvisionLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Scheduled messages came with this release. */
const SERVER_VERSION_MIN = [2, 12] as const;
/** Least size of a stream, and least part of the default sizes, when the server has little to give. */
const BYTES_MIN = 4 * 1024 * 1024;
const SCALE_MIN = 1 / 512;
/** How long the server may take to map one message. */
const PROBE_TIMEOUT_MS = 3_000;
const INFO_TIMEOUT_MS = 2_000;
/** An election takes 4 to 9 s, longer where the machine is busy. */
const ELECTION_MS_MAX = 20_000;
const UNSAFE_FEATURES = ['allow_rollup_hdrs', 'allow_msg_schedules', 'allow_msg_ttl', 'allow_atomic'] as const;

/**
 * Creates or checks every stream. Rejects with `ServerTooOld`, `StreamMismatch` (naming both sides and what to do), or
 * `PortError` `disconnected` when JetStream is off.
 *
 * @example
 * const config = resolveConfig({ replicas: 3 });
 * await provision(connection, config, (message, fields) => log.info(fields, message));
 */
export async function provision(connection: Connection, config: NatsConfig, log: ProvisionLog = noLog): Promise<void> {
  assertServerVersion(connection.serverVersion);
  const api = new JsApi(connection, config.apiPrefix);
  await assertJetStream(api);
  if (config.splitByHash) await assertMapped(connection, config);
  const run = new Provisioning(api, log);
  for (const wanted of wantedStreams(config, connection.payloadBytesMax)) await run.ensure(wanted);
}

/** Throws `ServerTooOld` below 2.12. */
export function assertServerVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (major > SERVER_VERSION_MIN[0] || (major === SERVER_VERSION_MIN[0] && minor >= SERVER_VERSION_MIN[1])) return;
  throw new TroupeError(
    'ServerTooOld',
    `nats-server is ${version}, needed is ${SERVER_VERSION_MIN.join('.')} or later (scheduled messages): upgrade it.`,
    { details: { version, versionMin: SERVER_VERSION_MIN.join('.') } },
  );
}

/** Split journals: does the server map subjects, and by the same count of partitions? Without, all would go to one. */
async function assertMapped(connection: Connection, config: NatsConfig): Promise<void> {
  const { prefix } = config.subjects;
  const key = randomUUID();
  const wanted = partitionOfTokens('probe', key, config.partitions);
  const subscription = connection.nc.subscribe(`${prefix}.${PROBED_TOKEN}.*.probe.${key}`, {
    max: 1,
    timeout: PROBE_TIMEOUT_MS,
  });
  connection.nc.publish(`${prefix}.${PROBE_TOKEN}.probe.${key}`);
  let seen: number | undefined;
  try {
    for await (const { subject } of subscription) seen = Number(subject.split('.').at(-3));
  } catch {
    // Nothing within the deadline.
  }
  if (seen === wanted) return;
  const what =
    seen === undefined
      ? 'does not map subjects to the journal streams'
      : `maps subjects to other partitions (${seen}, expected ${wanted})`;
  throw new TroupeError(
    'StreamMismatch',
    `journalStreams is ${config.journals.length}, but the server ${what}: its account needs the mappings that infra/generate.ts writes with --journal-streams ${config.journals.length} --partitions ${config.partitions}.`,
    { details: { partition: { found: seen, configured: wanted } } },
  );
}

/** A cluster that elects its leader says nothing; one without JetStream says so at once. @throws PortError */
export async function assertJetStream(api: JsApi): Promise<void> {
  const endAtMs = performance.now() + ELECTION_MS_MAX;
  try {
    while (!(await hasInfo(api, endAtMs)));
  } catch (error) {
    if (!(error instanceof PortError) || error.kind !== 'disconnected' || !api.connection.connected) throw error;
    const message =
      'JetStream is off on this server or for this account: start nats-server with -js and a store directory';
    throw new PortError('disconnected', message, { cause: error });
  }
}

/** @returns false: no answer, and there is time to ask again. */
async function hasInfo(api: JsApi, endAtMs: number): Promise<boolean> {
  try {
    await api.call('INFO', undefined, INFO_TIMEOUT_MS);
    return true;
  } catch (error) {
    if (error instanceof PortError && error.kind === 'timeout' && performance.now() < endAtMs) return false;
    throw error;
  }
}

/**
 * One run over all streams. Sizes that nobody chose are halved together until all of them fit into what the server has
 * to give, so that the first stream doesn't take the room of the others.
 */
class Provisioning {
  readonly #api: JsApi;
  readonly #log: ProvisionLog;
  /** Made by this run, so empty but for what others stored a moment ago. */
  readonly #created: WantedStream[] = [];
  #scale = 1;

  constructor(api: JsApi, log: ProvisionLog) {
    this.#api = api;
    this.#log = log;
  }

  async ensure(wanted: WantedStream): Promise<void> {
    const stream = wanted.config.name;
    const found = (await this.#api.streamInfo(stream)) ?? (await this.#create(wanted));
    if (found === undefined) return;
    assertCompatible(wanted, found.config);
    const changes = changesFor(wanted, found.config);
    if (Object.keys(changes).length === 0) return;
    this.#log(`updating stream ${stream}`, { stream, changes });
    await this.#update(found.config, changes);
  }

  /** Undefined: created. The stream: another worker was faster (invariant 4). */
  async #create(wanted: WantedStream): Promise<StreamInfo | undefined> {
    const stream = wanted.config.name;
    for (;;) {
      const bytesMax = this.#bytesMax(wanted);
      try {
        await this.#api.call(`STREAM.CREATE.${stream}`, { ...wanted.config, max_bytes: bytesMax });
        this.#log(`created stream ${stream}`, { stream, bytesMax });
        this.#created.push(wanted);
        return undefined;
      } catch (error) {
        const code = apiErrorCode(error);
        if (code === API_ERRORS.streamNameInUse) return this.#api.streamInfo(stream);
        if (code === API_ERRORS.subjectsOverlap) throw overlap(wanted.config, error);
        if (!isTooLittleRoom(error)) throw error;
        await this.#shrink(wanted, error);
      }
    }
  }

  /** Throws `error` when there is nothing left to shrink. */
  async #shrink(wanted: WantedStream, error: unknown): Promise<void> {
    if (this.#scale < SCALE_MIN || !isScalable(wanted)) throw error;
    this.#scale /= 2;
    for (const created of this.#created.filter(isScalable)) {
      await this.#update(created.config, { max_bytes: this.#bytesMax(created) }).catch((refused: unknown) => {
        throw isTooLittleRoom(refused) ? tooLittleRoom(refused) : refused;
      });
    }
    const fields = { scale: this.#scale };
    this.#log(`the server has too little room for the default sizes: taking ${this.#scale} of them`, fields);
  }

  #bytesMax(wanted: WantedStream): number {
    const bytesMax = wanted.config.max_bytes as number;
    return isScalable(wanted) ? Math.max(BYTES_MIN, Math.floor(bytesMax * this.#scale)) : bytesMax;
  }

  async #update(config: StreamConfig, changes: Record<string, unknown>): Promise<void> {
    await this.#api.call(`STREAM.UPDATE.${config.name}`, { ...config, ...changes });
  }
}

/** Also as a cluster says it, where several servers have to have the room. */
function isTooLittleRoom(error: unknown): boolean {
  const code = apiErrorCode(error);
  if (code === API_ERRORS.noSuitablePeers) return (error as PortError).message.includes('insufficient storage');
  return code === API_ERRORS.storageExceeded || code === API_ERRORS.memoryExceeded;
}

/** A cluster finds out late that it has promised more than it has, and then refuses even to make streams smaller. */
function tooLittleRoom(cause: unknown): PortError {
  const what =
    'the servers have too little room for the streams: raise max_file_store of each, or set sizes (streams.journal.bytesMax, streams.snapshots.bytesMax)';
  return new PortError('full', what, { cause });
}

function isScalable({ config, chosen }: WantedStream): boolean {
  return (config.max_bytes as number) > 0 && !chosen.includes('max_bytes');
}

function assertCompatible(wanted: WantedStream, found: StreamConfig): void {
  const { name } = wanted.config;
  if (wanted.kind === 'journal') assertSameTransform(wanted.config, found);
  for (const field of ['retention', 'storage'] as const) {
    if (wanted.config[field] !== found[field]) {
      throw mismatch(name, `has ${field} "${found[field]}", configured is "${wanted.config[field]}"`, {
        [field]: { found: found[field], configured: wanted.config[field] },
      });
    }
  }
  const feature = wanted.kind === 'journal' ? UNSAFE_FEATURES.find((flag) => found[flag] === true) : undefined;
  if (feature !== undefined) {
    throw mismatch(name, `has ${feature} on, with which any client could forge or wipe entries`, { feature });
  }
}

function assertSameTransform(wanted: StreamConfig, found: StreamConfig): void {
  const configured = partitionsOf(wanted);
  const existing = partitionsOf(found);
  if (existing !== configured) {
    throw mismatch(
      wanted.name,
      `was created with ${existing} partitions, configured are ${configured}. The count is fixed for the stream's life: configure ${existing}, or use another prefix`,
      { partitions: { found: existing, configured } },
    );
  }
  const pair = [wanted.subject_transform, found.subject_transform].map((t) => JSON.stringify(transformOf(t)));
  const shares = [wanted, found].map(({ subjects }) => subjects.filter(isShareSubject).sort().join(', '));
  if (pair[0] === pair[1] && shares[0] !== shares[1]) {
    throw mismatch(
      wanted.name,
      `takes the partitions ${shares[1]}; by journalStreams and partitions they would be ${shares[0]}. Both are fixed for the streams' life: configure them as they were, or use another prefix`,
      { subjects: { found: shares[1], configured: shares[0] } },
    );
  }
  if (pair[0] !== pair[1]) throw mismatch(wanted.name, `maps subjects by ${pair[1]}, needed is ${pair[0]}`, {});
}

function transformOf(transform: unknown): { src?: string; dest?: string } {
  const { src, dest } = (transform ?? {}) as { src?: string; dest?: string };
  return { ...(src !== undefined && { src }), ...(dest !== undefined && { dest }) };
}

/** The count in the stream's subject transform; 0 without one. */
function partitionsOf(config: StreamConfig): number {
  return Number(/partition\((\d+),/.exec(transformOf(config.subject_transform).dest ?? '')?.[1] ?? 0);
}

/** Invariant 1: subjects that are missing, and fields that the user chose. */
function changesFor(wanted: WantedStream, found: StreamConfig): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  const subjects = [...new Set([...found.subjects, ...wanted.config.subjects])];
  if (subjects.length !== found.subjects.length) changes.subjects = subjects;
  for (const field of wanted.chosen) if (wanted.config[field] !== found[field]) changes[field] = wanted.config[field];
  return changes;
}

function mismatch(stream: string, what: string, details: object): TroupeError {
  return new TroupeError('StreamMismatch', `Stream ${stream} ${what}.`, { details: { stream, ...details } });
}

function overlap(config: StreamConfig, cause: unknown): TroupeError {
  const what = `can't be created: another stream already takes some of ${config.subjects.join(', ')}. Use another prefix, or remove that stream`;
  return new TroupeError('StreamMismatch', `Stream ${config.name} ${what}.`, {
    details: { stream: config.name, subjects: config.subjects },
    cause,
  });
}

function noLog(): void {}
