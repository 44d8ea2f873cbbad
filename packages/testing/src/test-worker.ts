/** A worker of a test, and the ways to break it. */
import type { ActorDefinition } from '@troupe/agent';
import { type Log, startWorker, type Worker, type WorkerOptions, type WorkerStats } from '@troupe/runtime';
import type { MemoryBroker, MemoryPorts } from '@troupe/runtime/internal';
import { FreezableClock } from './freezable-clock.ts';
import type { Pump } from './pump.ts';

/** What a worker of a test is made of. */
export interface TestWorkerOptions {
  readonly id: string;
  readonly broker: MemoryBroker;
  readonly pump: Pump;
  readonly prefix: string;
  readonly actors: readonly ActorDefinition[];
  readonly options: WorkerOptions;
  readonly log: Log;
}

/** What comes with other code. */
export interface Deployment {
  /** Types that have ended with it. Default none. */
  readonly retired?: readonly string[];
}

interface Run {
  readonly worker: Worker;
  readonly ports: MemoryPorts;
  readonly clock: FreezableClock;
}

/** Virtual ms that a start may take. */
const START_MS_MAX = 600_000;

export class TestWorker {
  readonly id: string;
  readonly #options: TestWorkerOptions;
  #run: Run | undefined;

  constructor(options: TestWorkerOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get running(): boolean {
    return this.#run !== undefined;
  }

  get stats(): WorkerStats | undefined {
    return this.#run?.worker.stats();
  }

  /** Starts it and waits until its share of the partitions is live; takes as much virtual time as that needs. */
  async start(
    actors: readonly ActorDefinition[] = this.#options.actors,
    { retired = [] }: Deployment = {},
  ): Promise<void> {
    if (this.#run !== undefined) throw new Error(`worker ${this.id} runs already: kill() it first`);
    const { broker, pump, prefix, options, log } = this.#options;
    const clock = new FreezableClock(broker.clock);
    const ports = broker.connect({ name: this.id, clock });
    const starting = startWorker({ ports, prefix, definitions: actors, retired, id: this.id, options, log });
    const worker = await pump.until(starting, () => `worker ${this.id} does not start`);
    this.#run = { worker, ports, clock };
    let ready = false;
    void worker.ready.then(() => (ready = true));
    if (!(await pump.advanceUntil(() => ready, START_MS_MAX)))
      throw new Error(`worker ${this.id} is not ready after ${START_MS_MAX} ms`);
  }

  /** Ends it at once, as a crash would: nothing more is written, promises that run come to nothing. */
  kill(): void {
    const { worker, ports } = this.#needRun('kill');
    worker.kill();
    ports.connection.close();
    this.#run = undefined;
  }

  /** Crashes it if it runs, and starts it again: on another process's memory, so to say. */
  async restart(actors?: readonly ActorDefinition[], deployment?: Deployment): Promise<void> {
    if (this.#run !== undefined) this.kill();
    await this.start(actors, deployment);
  }

  /** Ends it in good order, as a deployment would. */
  async drain(): Promise<void> {
    const { worker, ports } = this.#needRun('drain');
    let over = false;
    const drained = worker.drain().finally(() => (over = true));
    await this.#options.pump.advanceUntil(() => over, START_MS_MAX);
    await drained;
    ports.connection.close();
    this.#run = undefined;
  }

  /** It stands still, with its connections open: a long pause of the process or its machine. */
  freeze(): void {
    this.#needRun('freeze').clock.freeze();
  }

  /** After `freeze`: it goes on, knowing nothing of what happened meanwhile. */
  resume(): void {
    this.#needRun('resume').clock.resume();
  }

  /** Its connection is lost, until `mend`. */
  cut(): void {
    this.#needRun('cut').ports.connection.disconnect();
  }

  mend(): void {
    this.#needRun('mend').ports.connection.reconnect();
  }

  close(): void {
    if (this.#run !== undefined) this.kill();
  }

  #needRun(verb: string): Run {
    if (this.#run === undefined)
      throw new Error(`worker ${this.id} doesn't run, so there is nothing to ${verb}: start() or restart() it`);
    return this.#run;
  }
}
