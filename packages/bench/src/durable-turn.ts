/**
 * Troupe beside the raw loop: both publish, await the PubAck and the answer, in turn, several rounds.
 *
 * Every round runs both on the same server within seconds, and the ratio is that of the round: whatever else the machine
 * does meanwhile hits both.
 */
import { connect, type Troupe } from '@troupe/client';
import { type ServerProcessOptions, startServerProcess } from '@troupe/nats';
import { HEADERS } from '@troupe/wire';
import { bytesBetween, readStreams } from './bytes.ts';
import { cpuSeconds } from './cpu.ts';
import { type Caller, type LoadResult, runLoad, SESSIONS } from './load.ts';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import { RawCallers } from './raw-callers.ts';
import { connectRaw } from './raw-nats.ts';
import { progress, type Report, type Row } from './report.ts';
import { median } from './statistics.ts';
import { configFor } from './streams.ts';

export interface DurableTurnOptions {
  readonly name: string;
  readonly callers: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly server?: ServerProcessOptions;
  /** Actor types; several have a journal stream each. */
  readonly types?: readonly string[];
  readonly withoutPubAck?: boolean;
}

/** So many turns, until the compiler has seen enough; at most so long. */
const WARM_UP_TURNS = 100_000;
const WARM_UP_ROUND_MS = 1_000;
const WARM_UP_MS_MAX = 10_000;
/** A turn's payload: 200 bytes as JSON. */
const INPUT = 'm'.repeat(198);
const PAYLOAD = Buffer.from(JSON.stringify(INPUT));

/** One system under test. */
interface Contestant {
  readonly caller: Caller;
  readonly pids: readonly (number | undefined)[];
}

interface Measured extends LoadResult {
  readonly cpuPer10k: number;
}

export async function benchDurableTurn(options: DurableTurnOptions, report: Report): Promise<void> {
  const types = options.types ?? [TYPE];
  await using server = await startServerProcess(options.server);
  await using stack = new AsyncDisposableStack();
  const rawStreams = types.map((_, i) => `RAW${i}`);
  await makeRawStreams(server.url, rawStreams);
  const worker = await WorkerProcess.start('troupe-worker.ts', [server.url, types.join(','), journalsOf(types)]);
  stack.defer(() => worker.stop());
  const rawWorker = await WorkerProcess.start('raw-worker.ts', [server.url, rawStreams.join(',')]);
  stack.defer(() => rawWorker.stop());
  const { raw, ours, close } = await openCallers(server.url, types, options.withoutPubAck !== true);
  stack.defer(close);
  const contestants = {
    raw: { caller: raw, pids: [server.pid, rawWorker.pid] },
    ours: { caller: ours, pids: [server.pid, worker.pid] },
  };
  const streams = (): ReturnType<typeof readStreams> => readStreams(server.url, configFor(types, types.length > 1));
  const empty = await streams();
  // From the first turn on: over a short time, a snapshot here or there decides.
  const bytes = async (): Promise<ReturnType<typeof bytesBetween>> => bytesBetween(empty, await streams());
  progress('  warming up');
  for (const { caller } of Object.values(contestants)) await warmUp(caller);
  for (const callers of options.callers) {
    const row = await compare(options, callers, contestants);
    const { perTurn, ownPerTurn } = await bytes();
    report({ ...row, bytesPerTurn: perTurn, ownBytesPerTurn: ownPerTurn });
  }
  progress(`  answers that overtook their PubAck in the raw loop: ${raw.overtakes}`);
}

async function warmUp(caller: Caller): Promise<void> {
  const endAt = performance.now() + WARM_UP_MS_MAX;
  for (let turns = 0; turns < WARM_UP_TURNS && performance.now() < endAt; ) {
    turns += (await runLoad(caller, 64, WARM_UP_ROUND_MS)).turns;
  }
}

async function compare(
  options: DurableTurnOptions,
  callers: number,
  contestants: { readonly raw: Contestant; readonly ours: Contestant },
): Promise<Row> {
  const raw: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < options.rounds; round++) {
    progress(`  ${options.name} at ${callers}: round ${round + 1} of ${options.rounds}`);
    raw.push(await measure(contestants.raw, callers, options.roundMs));
    ours.push(await measure(contestants.ours, callers, options.roundMs));
  }
  return {
    name: options.name,
    callers,
    turnsPerSecond: median(ours.map((one) => one.turnsPerSecond)),
    rawTurnsPerSecond: median(raw.map((one) => one.turnsPerSecond)),
    ratio: median(ours.map((one, i) => one.turnsPerSecond / raw[i]!.turnsPerSecond)),
    p50Ms: median(ours.map((one) => one.p50Ms)),
    rawP50Ms: median(raw.map((one) => one.p50Ms)),
    p99Ms: median(ours.map((one) => one.p99Ms)),
    rawP99Ms: median(raw.map((one) => one.p99Ms)),
    cpuSecondsPer10kTurns: median(ours.map((one) => one.cpuPer10k)),
    rawCpuSecondsPer10kTurns: median(raw.map((one) => one.cpuPer10k)),
  };
}

/** The CPU is that of server and worker: what a turn costs whoever runs them. */
async function measure({ caller, pids }: Contestant, callers: number, forMs: number): Promise<Measured> {
  const before = cpuSeconds(pids);
  const result = await runLoad(caller, callers, forMs);
  return { ...result, cpuPer10k: ((cpuSeconds(pids) - before) / result.turns) * 10_000 };
}

/** As many as Troupe has journals. */
async function makeRawStreams(url: string, names: readonly string[]): Promise<void> {
  const nc = await connectRaw(url, 'bench');
  const manager = await nc.jetstreamManager();
  for (const [i, name] of names.entries()) await manager.streams.add({ name, subjects: [`raw${i}.>`] });
  await nc.close();
}

export interface Callers {
  readonly raw: RawCallers;
  readonly ours: Caller;
  close(): Promise<void>;
}

export async function openCallers(url: string, types: readonly string[], pubAck: boolean): Promise<Callers> {
  const common = { url, payload: PAYLOAD, pubAck };
  const rawSubjectOf = (n: number): string => `raw${n % types.length}.task.s${n}`;
  const raw = await RawCallers.open({ ...common, subjectOf: rawSubjectOf, replyToHeader: 'Reply-To' });
  if (pubAck) {
    const troupe = await connect({ url });
    return { raw, ours: new TroupeCallers(troupe, types), close: () => closeBoth(raw, troupe) };
  }
  // Troupe's client always asks for the PubAck: without it, callers are plain NATS clients that publish a task.
  const subjectOf = (n: number): string => `troupe.task.${types[n % types.length]}.s${n}`;
  const ours = await RawCallers.open({ ...common, subjectOf, replyToHeader: HEADERS.replyTo });
  return { raw, ours, close: () => closeBoth(raw, ours) };
}

async function closeBoth(...connections: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(connections.map((one) => one.close()));
}

class TroupeCallers implements Caller {
  readonly #sessions: readonly { ask(input: unknown): Promise<unknown> }[];

  constructor(troupe: Troupe, types: readonly string[]) {
    this.#sessions = Array.from({ length: SESSIONS }, (_, n) => troupe.actor(types[n % types.length]!, `s${n}`));
  }

  call(session: number): Promise<unknown> {
    return this.#sessions[session]!.ask(INPUT);
  }
}

function journalsOf(types: readonly string[]): string {
  return types.length > 1 ? 'each' : 'one';
}
