/**
 * A client of a simulated world: sends its tasks one after the other, each until it is acknowledged, then again until its
 * outcome has come, always under the same id; and holds what it is told against what it was told before.
 */
import type { Effect } from '@troupe/core';
import type { Clock, Ports } from '@troupe/runtime';
import { decodeOutcome, taskMessage } from '@troupe/wire';
import type { Random } from '../durable/random.ts';
import { TYPE } from './clerk.ts';
import type { PlannedTask } from './plan.ts';
import { REMEMBER_MS } from './plan.ts';
import type { Violations } from './violations.ts';

/** A task and what became of it, as its client saw it. */
export interface ClientTask {
  readonly planned: PlannedTask;
  readonly createdAt: number;
  acknowledged: boolean;
  /** JSON of the outcome, or the code of its failure. */
  outcome: string | undefined;
  /** Refused as too late: it may have taken effect or not. */
  late: boolean;
}

export interface ClientOptions {
  readonly name: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly random: Random;
  readonly violations: Violations;
  readonly replies: ReadonlyMap<string, Effect>;
  readonly actors: number;
  /** How far its wall clock is off, ms. */
  readonly skewMs: number;
  /** The next task, once the one before is acknowledged. */
  readonly next: () => PlannedTask | undefined;
}

export class Client {
  /** In the order in which they were acknowledged. */
  readonly acknowledged: ClientTask[] = [];
  readonly tasks = new Map<string, ClientTask>();
  readonly #options: ClientOptions;
  #idle = true;

  constructor(options: ClientOptions) {
    this.#options = options;
    options.ports.bus.subscribe(`_INBOX.${options.name}.>`, {}, (message) =>
      this.#told(message.subject.split('.')[2]!, decodeOutcome(message)),
    );
  }

  /** Nothing is under way: every task has its outcome. */
  get done(): boolean {
    if (!this.#idle) return false;
    for (const task of this.tasks.values()) if (task.outcome === undefined && !task.late) return false;
    return true;
  }

  /** Takes up what there is to do, if it does nothing. */
  wake(): void {
    if (!this.#idle) return;
    const planned = this.#options.next();
    if (planned === undefined) return;
    this.#idle = false;
    this.#options.clock.setTimer(() => this.#begin(planned), planned.pauseMs);
  }

  #begin(planned: PlannedTask): void {
    const { clock, skewMs } = this.#options;
    const createdAt = clock.now() + skewMs;
    const task: ClientTask = { planned, createdAt, acknowledged: false, outcome: undefined, late: false };
    this.tasks.set(planned.id, task);
    this.#send(task);
  }

  #publish(task: ClientTask): Promise<unknown> {
    const { planned, createdAt } = task;
    const { actors, name, ports } = this.#options;
    const { payload, headers } = taskMessage(
      { operations: planned.operations, actors },
      { taskId: planned.id, createdAt, rememberMs: REMEMBER_MS, replyTo: `_INBOX.${name}.${planned.id}` },
    );
    return ports.journal.publish('task', { type: TYPE, key: planned.key }, payload, headers);
  }

  #send(task: ClientTask): void {
    const { clock, random } = this.#options;
    this.#publish(task).then(
      () => {
        task.acknowledged = true;
        this.acknowledged.push(task);
        this.#idle = true;
        clock.setTimer(() => this.#again(task), 3_000 + random() * 5_000);
        this.wake();
      },
      () => clock.setTimer(() => this.#send(task), 100 + random() * 300),
    );
  }

  #again(task: ClientTask): void {
    if (task.outcome !== undefined || task.late) return;
    const { clock, random } = this.#options;
    this.#publish(task).catch(() => undefined);
    clock.setTimer(() => this.#again(task), 4_000 + random() * 4_000);
  }

  #told(id: string, { outcome, effectId }: ReturnType<typeof decodeOutcome>): void {
    const task = this.tasks.get(id)!;
    const { replies, violations } = this.#options;
    const said = outcome.ok ? JSON.stringify(outcome.value) : outcome.error.code;
    const reply = effectId === undefined ? undefined : replies.get(effectId);
    if (reply?.kind !== 'reply') violations.add('an outcome told before its entry', `${id}: ${said}`);
    else {
      const truth = reply.outcome.ok ? JSON.stringify(reply.outcome.value) : reply.outcome.error.code;
      if (truth !== said) violations.add('another outcome than the true one', `${id}: ${said}, true ${truth}`);
    }
    if (said === 'TooLate') {
      task.late = true;
      return;
    }
    if (task.outcome !== undefined && task.outcome !== said)
      violations.add('a client saw two outcomes', `${id}: ${task.outcome}, ${said}`);
    task.outcome = said;
  }
}
