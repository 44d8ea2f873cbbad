/**
 * The worker processes of a simulated world, and what strikes them.
 *
 * Invariants
 * 1. A place holds one process at a time; one that ends makes room for another, under another id.
 * 2. What ended in the middle of something finishes nothing of it; what it had sent before still arrives.
 */
import type { ActorDefinition } from '@troupe/core';
import { type Log, type Ports, startWorker, type Worker, type WorkerOptions } from '@troupe/runtime';
import type { MemoryBroker, MemoryPorts, VirtualClock } from '@troupe/runtime/internal';
import { Network, type Weather } from './network.ts';
import { LEASE_MS, type Oracle } from './oracle.ts';
import type { Plan, PlannedFault } from './plan.ts';
import { ProcessClock, type Running } from './process-clock.ts';
import { repliesEarly } from './reply-early.ts';
import type { Violations } from './violations.ts';

/** A process that stood still for so long can't own anything for sure, ms. */
const STALE_MS = LEASE_MS / 2 + 500;
const LOG_LINES_MAX = 60;
/** A process whose worker could not start is started again after so long, ms. */
const START_AGAIN_MS = 500;

export interface Process {
  readonly id: string;
  readonly place: number;
  readonly clock: ProcessClock<Process>;
  readonly ports: MemoryPorts;
  worker: Worker | undefined;
  /** Partitions that it owned when it stood still beyond its lease, and whose records it has not read since. */
  readonly unread: Set<number>;
  /** Since when it stands still, ms from the start. */
  frozenAtMs: number;
  draining: boolean;
  /** Its consumers hand over nothing until then, ms from the start. */
  stalledUntilMs: number;
}

/** What processes need of their world. */
export interface ProcessHost {
  readonly plan: Plan;
  readonly time: VirtualClock;
  readonly serverClock: ProcessClock<undefined>;
  readonly broker: MemoryBroker;
  readonly oracle: Oracle;
  readonly weather: Weather;
  readonly definition: ActorDefinition;
  readonly violations: Violations;
  readonly running: Running<Process>;
  readonly random: () => number;
  /** Workers tell outcomes before they are journaled (without R13). */
  readonly repliesEarly: boolean;
  count(what: string): void;
  /** Streams are without a leader for so long, ms. */
  leaderless(ms: number): void;
}

export class Processes {
  /** By place. */
  readonly all: (Process | undefined)[];
  /** The last lines that workers logged. */
  readonly lines: string[] = [];
  readonly #host: ProcessHost;
  #started = 0;

  constructor(host: ProcessHost) {
    this.#host = host;
    this.all = Array.from({ length: host.plan.workers }, () => undefined);
  }

  start(place: number): void {
    if (this.all[place] !== undefined) return;
    const id = `w${place}-${++this.#started}`;
    const rate = 1 + (this.#host.random() - 0.5) * 2 * this.#host.plan.drift;
    const process = {
      id,
      place,
      worker: undefined,
      unread: new Set(),
      frozenAtMs: 0,
      draining: false,
      stalledUntilMs: 0,
    } as unknown as Process;
    const clock = new ProcessClock<Process>(this.#host.time, this.#host.running, process, rate);
    const ports = this.#host.broker.connect({
      name: id,
      clock,
      faults: new Network(this.#host.weather, () => process.stalledUntilMs),
    });
    Object.assign(process, { clock, ports });
    this.all[place] = process;
    this.#host.count('starts');
    clock.defer(() => {
      startWorker({
        ports: this.#portsOf(process),
        definitions: [this.#host.definition],
        id,
        options: workerOptions(this.#host.plan),
        log: this.#logOf(process),
      }).then(
        (worker) => {
          process.worker = worker;
        },
        () => this.#end(process, START_AGAIN_MS),
      );
    });
  }

  /** The process's ports, with a witness of what it reads. */
  #portsOf(process: Process): Ports {
    const { ports } = process;
    const { records } = ports;
    const witnessed: Ports = {
      ...ports,
      close: () => ports.close(),
      records: {
        get: async (key) => {
          const found = await records.get(key);
          if (key.startsWith('partition.')) process.unread.delete(Number(key.slice('partition.'.length)));
          return found;
        },
        put: (key, value, options) => records.put(key, value, options),
        remove: (key) => records.remove(key),
        list: async (prefix) => {
          const found = await records.list(prefix);
          if (prefix === 'partition') process.unread.clear();
          return found;
        },
      },
    };
    return this.#host.repliesEarly ? repliesEarly(witnessed, this.#host.definition, this.#host.oracle) : witnessed;
  }

  /** The process is gone, in the middle of whatever it did; another takes its place. */
  #end(process: Process, downMs: number): void {
    if (this.all[process.place] !== process) return;
    process.clock.end();
    process.ports.connection.vanish();
    this.all[process.place] = undefined;
    this.#host.time.setTimer(() => this.start(process.place), downMs);
  }

  strike(fault: PlannedFault): void {
    this.#host.count(fault.kind);
    if (fault.kind === 'outage') {
      this.#host.broker.stop();
      this.#host.time.setTimer(() => this.#host.broker.start(), fault.ms);
      return;
    }
    if (fault.kind === 'election') {
      this.#host.leaderless(fault.ms);
      this.#host.serverClock.jump(fault.skewMs);
      return;
    }
    const process = this.all[fault.worker];
    if (process !== undefined) this.#strikeProcess(fault, process);
  }

  /** All go on at the latest after so long, ms. */
  thaw(ms: number): void {
    for (const process of this.all) {
      if (process === undefined) continue;
      process.clock.thaw(ms);
      if (this.#host.time.monotonic() + ms - process.frozenAtMs < STALE_MS) process.unread.clear();
    }
  }

  #strikeProcess(fault: Exclude<PlannedFault, { kind: 'outage' | 'election' }>, process: Process): void {
    switch (fault.kind) {
      case 'crash':
        this.#end(process, fault.downMs);
        return;
      case 'freeze':
        if (!process.clock.frozen) process.frozenAtMs = this.#host.time.monotonic();
        process.clock.freeze(fault.ms);
        if (fault.ms >= STALE_MS) for (const one of process.worker?.stats().partitions ?? []) process.unread.add(one);
        return;
      case 'cut':
        process.ports.connection.disconnect();
        this.#host.time.setTimer(() => process.ports.connection.reconnect(), fault.ms);
        return;
      case 'drain':
        this.#drain(process, fault.downMs);
        return;
      case 'disown':
        this.#host.broker.records.remove(`worker.${process.id}`);
        return;
      case 'stall':
        process.stalledUntilMs = this.#host.time.monotonic() + fault.ms;
        this.#host.weather.flying(fault.ms);
        if (fault.disownAfterMs !== undefined)
          this.#host.time.setTimer(() => this.#host.broker.records.remove(`worker.${process.id}`), fault.disownAfterMs);
        return;
      case 'clock':
        process.clock.jump(fault.skewMs);
        return;
    }
  }

  #drain(process: Process, downMs: number): void {
    const { worker } = process;
    if (worker === undefined || process.draining) return;
    process.draining = true;
    process.clock.defer(() => {
      void worker.drain().then(() => this.#end(process, downMs));
    });
  }

  #logOf(process: Process): Log {
    const line = (level: string) => (fields: object, message: string) => {
      if (message.startsWith('partition dropped')) this.#host.count('dropped');
      if (message.startsWith('Two folds')) this.#host.violations.add('two folds disagree', JSON.stringify(fields));
      this.lines.push(
        `${Math.round(this.#host.time.monotonic())} ${process.id} ${level} ${message} ${JSON.stringify(fields)}`,
      );
      if (this.lines.length > LOG_LINES_MAX) this.lines.shift();
    };
    return { debug: () => {}, info: () => {}, warn: line('warn'), error: line('error') };
  }
}

function workerOptions({ tight, worker }: Plan): WorkerOptions {
  return { ...periods(tight), ...worker };
}

function periods(tight: boolean): WorkerOptions {
  if (tight)
    return {
      tickDurableAfterMs: 100,
      checkpointEveryMs: 150,
      idleUnloadMs: 600,
      purgeEveryMs: 400,
      markLagMax: 4,
      markAgeMsMax: 1_500,
    };
  return { checkpointEveryMs: 500, idleUnloadMs: 4_000, purgeEveryMs: 2_000, markLagMax: 20, markAgeMsMax: 6_000 };
}
