/** A whole troupe in memory and under virtual time, for tests of one's own agents. */
import { type ActorDefinition, type Agent, openJournal } from '@troupe/agent';
import type { Log, WorkerOptions } from '@troupe/runtime';
import { MemoryBroker, type MemoryPorts, VirtualClock } from '@troupe/runtime/internal';
import { createSubjects, decodeKey, decodeOutcome, HEADERS, PREFIX_DEFAULT, type Subjects } from '@troupe/wire';
import { type Duration, toMs } from './durations.ts';
import { Pump } from './pump.ts';
import { TestActor, type TestPublished } from './test-actor.ts';
import { type Deployment, TestWorker } from './test-worker.ts';

/** What `startTroupe` takes. */
export interface StartTroupeOptions {
  readonly actors: readonly ActorDefinition[];
  /** Partitions of the journal. Default 4: enough to be more than one, few enough to be quick. */
  readonly partitions?: number;
  /** Workers that share them. Default 1. */
  readonly workers?: number;
  /** Limits of the workers; see `WorkerOptions`. */
  readonly options?: WorkerOptions;
  /** Wall clock at the start, Unix ms. Default 2026-01-01T00:00:00Z. */
  readonly startAt?: number;
  /** Real ms without anything happening after which a wait fails. Default 3,000. */
  readonly patienceMs?: number;
}

/** A line that a worker logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** Leases and purges far apart, so that a virtual day costs hundreds of rounds and not tens of thousands. */
const TEST_OPTIONS: WorkerOptions = { leaseTtlMs: 3_600_000, renewEveryMs: 600_000, purgeEveryMs: 3_600_000 };
/** Lines and published events that are kept. */
const KEPT_MAX = 10_000;

/** The clock of a troupe: it stands still until it is told to move. */
export class TestClock {
  readonly #clock: VirtualClock;
  readonly #pump: Pump;

  constructor(clock: VirtualClock, pump: Pump) {
    this.#clock = clock;
    this.#pump = pump;
  }

  /** Unix ms. */
  now(): number {
    return this.#clock.now();
  }

  /**
   * Moves time, firing on the way all that falls due, each at its own instant.
   *
   * @example await troupe.clock.advance('24h');
   */
  async advance(duration: Duration): Promise<void> {
    await this.#pump.advance(toMs(duration));
  }
}

export class TestTroupe {
  readonly clock: TestClock;
  readonly workers: readonly TestWorker[];
  /** What the workers logged, oldest first. */
  readonly log: readonly LogLine[];
  readonly #pump: Pump;
  readonly #ports: MemoryPorts;
  readonly #subjects: Subjects;
  readonly #journal: ReturnType<typeof openJournal>;
  readonly #published = new Map<string, TestPublished[]>();
  #inboxes = 0;

  constructor(options: StartTroupeOptions) {
    const clock = new VirtualClock(options.startAt === undefined ? {} : { startAt: options.startAt });
    const broker = new MemoryBroker({ clock, partitions: options.partitions ?? 4 });
    const log: LogLine[] = [];
    this.log = log;
    this.#pump = new Pump(clock, options.patienceMs ?? 3_000);
    this.clock = new TestClock(clock, this.#pump);
    this.#subjects = createSubjects(PREFIX_DEFAULT);
    this.#ports = broker.connect({ name: 'test' });
    this.#journal = openJournal({ ports: this.#ports, actors: options.actors });
    this.#ports.bus.subscribe(this.#subjects.every('out'), {}, (message) => this.#keep(message));
    this.workers = Array.from({ length: options.workers ?? 1 }, (_, i) => {
      const own = { broker, pump: this.#pump, prefix: PREFIX_DEFAULT, actors: options.actors, log: recordingLog(log) };
      return new TestWorker({ ...own, id: `worker-${i + 1}`, options: { ...TEST_OPTIONS, ...options.options } });
    });
  }

  /**
   * An actor, by its agent (typed) or the name of its type.
   *
   * @example const order = troupe.actor(orderAgent, '42');
   */
  actor<TAgent extends ActorDefinition | Agent>(agent: TAgent, key: string): TestActor<TAgent>;
  actor(type: string, key: string): TestActor<unknown>;
  actor(agent: ActorDefinition | Agent | string, key: string): TestActor<unknown> {
    const type = typeof agent === 'string' ? agent : agent.type;
    const host = {
      ports: this.#ports,
      pump: this.#pump,
      subjects: this.#subjects,
      journal: this.#journal,
      published: this.#published,
      inbox: () => `_INBOX.test.${++this.#inboxes}`,
    };
    return new TestActor(host, { type, key });
  }

  /** Runs everything that can run without time moving. */
  settle(): Promise<void> {
    return this.#pump.settle();
  }

  /** Ends the first worker at once, as a crash would. What is stored stays. */
  kill(): void {
    this.#first.kill();
  }

  /** Crashes the first worker if it runs, and starts it again; with other code, if given. */
  restart(actors?: readonly ActorDefinition[], deployment?: Deployment): Promise<void> {
    return this.#first.restart(actors, deployment);
  }

  /** The first worker stands still, with its connections open. */
  freeze(): void {
    this.#first.freeze();
  }

  /** After `freeze`. */
  resume(): void {
    this.#first.resume();
  }

  async close(): Promise<void> {
    for (const worker of this.workers) worker.close();
    await this.#ports.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #first(): TestWorker {
    return this.workers[0]!;
  }

  #keep(message: {
    readonly subject: string;
    readonly payload: Uint8Array;
    header(name: string): string | undefined;
  }): void {
    const [type = '', token = ''] = message.subject.split('.').slice(-2);
    const actor = `${type}/${decodeKey(token)}`;
    const list = this.#published.get(actor) ?? [];
    const taskId = message.header(HEADERS.taskId);
    const { outcome } = decodeOutcome(message);
    list.push(
      taskId === undefined
        ? { kind: 'event', event: outcome.ok ? outcome.value : outcome.error }
        : { kind: 'outcome', taskId, outcome },
    );
    if (list.length > KEPT_MAX) list.shift();
    this.#published.set(actor, list);
  }
}

/**
 * Starts a troupe in memory: journal, snapshots, leases, timers and bus as in production, everything through the codec, and
 * time that stands still until the test moves it.
 *
 * @example
 * await using troupe = await startTroupe({ actors: [orderAgent] });
 * const order = troupe.actor(orderAgent, '42');
 * await order.ask({ type: 'placed' });
 * await troupe.clock.advance('24h');
 * expect((await order.snapshot()).value).toBe('cancelled');
 */
export async function startTroupe(options: StartTroupeOptions): Promise<TestTroupe> {
  const troupe = new TestTroupe(options);
  try {
    for (const worker of troupe.workers) await worker.start();
  } catch (error) {
    await troupe.close();
    throw error;
  }
  return troupe;
}

function recordingLog(lines: LogLine[]): Log {
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
    if (lines.length > KEPT_MAX) lines.shift();
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
