/** An actor as a test sees it: what it can be told, and everything that can be known of it. */
import type {
  AgentContext,
  AgentOutput,
  AgentSignal,
  AgentTask,
  AgentValue,
  JournalStep,
  OpenedJournal,
} from '@troupe/agent';
import { matchesState, type StateValue } from '@troupe/client';
import { type DeadLetter, PortError } from '@troupe/runtime';
import type { MemoryPorts } from '@troupe/runtime/internal';
import {
  type ActorAddress,
  decodeOutcome,
  decodeValue,
  formatAddress,
  fromFailureRecord,
  HEADERS,
  isFailureRecord,
  type JournalEntry,
  type Outcome,
  type Subjects,
  signalMessage,
  TroupeError,
  taskMessage,
} from '@troupe/wire';
import type { Pump } from './pump.ts';

/** How a task is sent. */
export interface TestTaskOptions {
  /** Names the task; the same id again is the same task. */
  readonly taskId?: string;
  /** How long the turn may take, ms of virtual time. */
  readonly deadlineMs?: number;
  /** The payload is an input also when it looks like an event. */
  readonly raw?: boolean;
}

/** A state, with the types of the agent's machine. */
export interface TestState<TAgent> {
  readonly value: AgentValue<TAgent>;
  readonly context: AgentContext<TAgent>;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output?: unknown;
  readonly tags: readonly string[];
  readonly version: number;
  /** Last entry of the journal that is in it. */
  readonly seq: number;
  readonly timers: readonly { readonly id: string; readonly dueAt: number; readonly event: string }[];
  readonly effects: readonly { readonly id: string; readonly src: string }[];
  /** Inputs that wait. */
  readonly stash: { readonly depth: number; readonly bytes: number };
  matches(partial: StateValue): boolean;
  hasTag(tag: string): boolean;
}

/** Something that the actor published: the outcome of a turn, or an event that its machine emitted. */
export type TestPublished =
  | { readonly kind: 'outcome'; readonly taskId: string; readonly outcome: Outcome }
  | { readonly kind: 'event'; readonly event: unknown };

/** What an actor of a test is made of. */
export interface TestActorHost {
  readonly ports: MemoryPorts;
  readonly pump: Pump;
  readonly subjects: Subjects;
  readonly journal: OpenedJournal;
  readonly published: ReadonlyMap<string, readonly TestPublished[]>;
  /** A fresh inbox. */
  inbox(): string;
}

/** Virtual time doesn't pass while a test waits, so deadlines of ports don't end a query. */
const QUERY_TIMEOUT_MS = 5_000;

export class TestActor<TAgent> {
  readonly address: ActorAddress;
  readonly #host: TestActorHost;

  constructor(host: TestActorHost, address: ActorAddress) {
    this.#host = host;
    this.address = address;
  }

  /**
   * Sends a task and waits for its outcome. Time stands still meanwhile: a turn that waits for a timer ends when the test
   * advances the clock, so don't await it before.
   *
   * @throws TroupeError the outcome's, when the turn failed.
   * @example
   * const asked = order.ask({ type: 'placed' });
   * await troupe.clock.advance('1h');
   * await asked;
   */
  async ask(input: AgentTask<TAgent>, options: TestTaskOptions = {}): Promise<AgentOutput<TAgent>> {
    const { ports, pump } = this.#host;
    const replyTo = this.#host.inbox();
    const answered = Promise.withResolvers<Outcome>();
    const inbox = ports.bus.subscribe(replyTo, {}, (message) => answered.resolve(decodeOutcome(message).outcome));
    try {
      await this.#publish('task', input, { ...options, replyTo });
      const outcome = await pump.until(answered.promise, () => this.#stuck('ask'));
      if (!outcome.ok) throw fromFailureRecord(outcome.error);
      return outcome.value as AgentOutput<TAgent>;
    } finally {
      inbox.close();
    }
  }

  /** Sends a task and waits until it is stored. */
  send(
    input: AgentTask<TAgent>,
    options: TestTaskOptions = {},
  ): Promise<{ readonly seq: number; readonly taskId: string }> {
    return this.#publish('task', input, options);
  }

  /** Sends an event that is applied at once, also while a turn is open. */
  signal(
    event: AgentSignal<TAgent>,
    options: Pick<TestTaskOptions, 'taskId'> = {},
  ): Promise<{ readonly seq: number; readonly taskId: string }> {
    return this.#publish('signal', event, options);
  }

  /** The state, once everything that was sent has been applied. @throws TroupeError `NotFound` for an actor that never was. */
  async snapshot(): Promise<TestState<TAgent>> {
    const fields = (await this.query('state')) as Omit<TestState<TAgent>, 'matches' | 'hasTag'>;
    return {
      ...fields,
      matches: (partial) => matchesState(partial, fields.value as StateValue),
      hasTag: (tag) => fields.tags.includes(tag),
    };
  }

  /** A query to the owner: `state`, `history`, `outcome`, `timers`. @throws TroupeError */
  async query(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const { ports, pump, subjects } = this.#host;
    await pump.settle();
    const payload = new TextEncoder().encode(JSON.stringify({ ...args, query: name }));
    const options = { timeoutMs: QUERY_TIMEOUT_MS, headers: { Accept: 'application/msgpack' } };
    const asked = ports.bus.request(subjects.query(this.address), payload, options);
    const answer = await pump
      .until(asked, () => this.#stuck(`query '${name}'`))
      .catch((error: unknown) => this.#noWorker(error));
    if (answer.header(HEADERS.errorCode) === undefined) return decodeValue(answer.payload);
    const record: unknown = JSON.parse(new TextDecoder().decode(answer.payload));
    throw isFailureRecord(record) ? fromFailureRecord(record) : new TroupeError('Internal', String(record));
  }

  /** The entries of its journal. */
  async history(): Promise<JournalEntry[]> {
    const { pump, journal } = this.#host;
    await pump.settle();
    return pump.until(collect(journal.entries(this.address)), () => this.#stuck('history'));
  }

  /** The entries of its journal with the state after each: time travel. Folded here, not by the worker. */
  async steps(): Promise<JournalStep[]> {
    const { pump, journal } = this.#host;
    await pump.settle();
    return pump.until(journal.steps(this.address), () => this.#stuck('steps'));
  }

  /** Its dead letters, oldest first. */
  async deadLetters(): Promise<DeadLetter[]> {
    const { pump, ports } = this.#host;
    await pump.settle();
    return pump.until(collect(ports.deadLetters.list(this.address)), () => this.#stuck('deadLetters'));
  }

  /** What it has published since the troupe was started. */
  async published(): Promise<readonly TestPublished[]> {
    await this.#host.pump.settle();
    return this.#host.published.get(formatAddress(this.address)) ?? [];
  }

  async #publish(
    verb: 'task' | 'signal',
    payload: unknown,
    options: TestTaskOptions & { readonly replyTo?: string },
  ): Promise<{ seq: number; taskId: string }> {
    const { ports, pump } = this.#host;
    const { taskId, deadlineMs: deadline, raw, replyTo } = options;
    const message =
      verb === 'task'
        ? taskMessage(payload, { taskId, deadline, raw, replyTo })
        : signalMessage(payload as { type: string }, { taskId });
    const stored = await pump.until(ports.journal.publish(verb, this.address, message.payload, message.headers), () =>
      this.#stuck(verb),
    );
    return { seq: stored.seq, taskId: taskId ?? String(stored.seq) };
  }

  #noWorker(error: unknown): never {
    if (!(error instanceof PortError) || error.kind !== 'no-responders') throw error;
    throw new TroupeError(
      'NoOwner',
      `No worker runs that could answer for ${formatAddress(this.address)}: restart() one.`,
      { cause: error },
    );
  }

  #stuck(what: string): string {
    return `${what} of ${formatAddress(this.address)} waits, and nothing happens any more. Time stands still while a test waits: is it a timer that the turn waits for (advance the clock before you await), or a worker that was killed, frozen or cut off?`;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
