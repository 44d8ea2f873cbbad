/**
 * The load of a storm: callers that send one task after the other, each to an actor of its own, and write down what they saw.
 *
 * Invariants
 * 1. A task is written down before it is sent, so that nothing that took effect is missing from the record.
 * 2. A task without an answer is sent again under its id, a few times; then it counts as unknown, unless it was accepted before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Troupe } from '@troupe/client';
import { deliveryName, type TaskRecord } from './record.ts';

const DEADLINE_MS = 60_000;
const TRIES_MAX = 3;
const PAUSE_MS = 20;
/** A ledger keeps all it has seen; after so many tasks a caller goes on with the next one. */
const TASKS_PER_ACTOR_MAX = 250;
/** Outcomes of the task itself; other errors say that it isn't known. */
const FAILED_CODES: readonly unknown[] = ['OutcomeUnknown', 'EffectFailed', 'Failed', 'UnhandledError'];

export class Callers {
  readonly tasks: TaskRecord[] = [];
  /** When something was answered, since the start, ms. */
  readonly answeredAtMs: number[] = [];
  readonly #troupe: Troupe;
  readonly #running: Promise<void>[];
  readonly #fromMs = performance.now();
  /** By caller: when the last of its answers was asked for. */
  readonly #lastSentMs: number[] = [];
  #stopped = false;

  /** @param ledgers callers that count; a quarter as many have calls made outside, by each of the two couriers. */
  constructor(troupe: Troupe, ledgers: number) {
    this.#troupe = troupe;
    const couriers = Math.max(1, Math.ceil(ledgers / 4));
    this.#running = [
      ...Array.from({ length: ledgers }, (_, at) => this.#run('ledger', at)),
      ...Array.from({ length: couriers }, (_, at) => this.#run('courier', at)),
      ...Array.from({ length: couriers }, (_, at) => this.#run('once-courier', at)),
    ];
  }

  /** Since the start, ms. */
  get nowMs(): number {
    return performance.now() - this.#fromMs;
  }

  /** Whether every caller has had an answer to something that it sent after `sinceMs`. */
  recoveredSince(sinceMs: number): boolean {
    return this.#lastSentMs.length === this.#running.length && this.#lastSentMs.every((sentMs) => sentMs > sinceMs);
  }

  /** The longest time from sending to answer of what was under way after `sinceMs`, ms. */
  longestWaitMs(sinceMs: number): number {
    const waits = this.tasks
      .filter(({ endedAtMs }) => endedAtMs === undefined || endedAtMs > sinceMs)
      .map(({ sentAtMs, endedAtMs = this.nowMs }) => endedAtMs - sentAtMs);
    return Math.max(0, ...waits);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Asks again for what has been asked for: the outcomes have to be the same. */
  async askAgain(tasks: readonly TaskRecord[]): Promise<void> {
    for (const task of tasks) await this.#ask(task);
  }

  async #run(type: TaskRecord['type'], caller: number): Promise<void> {
    const at = this.#lastSentMs.push(-1) - 1;
    for (let number = 0; !this.#stopped; number++) {
      const actor = `caller-${caller}-${Math.floor(number / TASKS_PER_ACTOR_MAX)}`;
      const task: TaskRecord = {
        actor,
        type,
        task: number,
        taskId: `${type}-${caller}-${number}`,
        sentAtMs: this.nowMs,
        acknowledged: false,
        outcomes: [],
      };
      this.tasks.push(task);
      if (type === 'ledger' && number % 3 === 2) await this.#send(task);
      else for (let tries = 0; tries < TRIES_MAX && !(await this.#ask(task)); tries++) await sleep(PAUSE_MS);
      task.endedAtMs = this.nowMs;
      this.answeredAtMs.push(task.endedAtMs);
      this.#lastSentMs[at] = task.sentAtMs;
      await sleep(PAUSE_MS);
    }
  }

  async #send(task: TaskRecord): Promise<void> {
    const actor = this.#troupe.actor(task.type, task.actor);
    for (let tries = 0; tries < TRIES_MAX && !task.acknowledged; tries++) {
      try {
        await actor.send(task.task, { taskId: task.taskId, deadlineMs: DEADLINE_MS });
        task.acknowledged = true;
      } catch (error) {
        task.error = codeOf(error);
        await sleep(PAUSE_MS);
      }
    }
  }

  /** @returns whether it is known how it ended. */
  async #ask(task: TaskRecord): Promise<boolean> {
    const input = task.type === 'ledger' ? task.task : deliveryName(task.type, task.actor, task.task);
    try {
      const answer = await this.#troupe
        .actor(task.type, task.actor)
        .ask(input, { taskId: task.taskId, deadlineMs: DEADLINE_MS });
      task.outcomes.push(`ok ${JSON.stringify(answer)}`);
    } catch (error) {
      const code = codeOf(error);
      if (!FAILED_CODES.includes(code)) {
        task.error = `${code}: ${String(error)}`;
        return false;
      }
      task.outcomes.push(`failed ${code}`);
    }
    task.acknowledged = true;
    return true;
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? error);
}
