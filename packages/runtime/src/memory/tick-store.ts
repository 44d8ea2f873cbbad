/**
 * Wake-ups inside the memory broker. At most one is pending and at most one is due per actor and epoch: a later firing replaces an
 * earlier one that nobody removed.
 */
import type { ActorAddress } from '@troupe/wire';
import type { Clock, Timer } from '../ports.ts';
import type { BrokerWatch } from './faults.ts';

export interface PendingTick {
  readonly partition: number;
  readonly address: ActorAddress;
  readonly dueAt: number;
  readonly timer: Timer;
}
export interface DueTick {
  readonly token: number;
  readonly address: ActorAddress;
}

export class TickStore {
  readonly #clock: Clock;
  readonly #watch: BrokerWatch | undefined;
  readonly #pending = new Map<string, PendingTick>();
  readonly #due = new Map<number, Map<string, DueTick>>();
  readonly #watchers = new Map<number, Set<(due: DueTick) => void>>();
  #token = 0;

  constructor(clock: Clock, watch?: BrokerWatch) {
    this.#clock = clock;
    this.#watch = watch;
  }

  schedule(partition: number, address: ActorAddress, dueAt: number, epoch: number): void {
    const id = tickId(address, epoch);
    this.#pending.get(id)?.timer.cancel();
    const timer = this.#clock.setTimer(() => this.#fire(partition, id, address), dueAt - this.#clock.now());
    this.#pending.set(id, { partition, address, dueAt, timer });
  }

  cancel(address: ActorAddress, epoch: number): void {
    const id = tickId(address, epoch);
    this.#pending.get(id)?.timer.cancel();
    this.#pending.delete(id);
  }

  due(partition: number): DueTick[] {
    return [...(this.#due.get(partition)?.values() ?? [])];
  }

  remove(partition: number, token: number): void {
    const due = this.#due.get(partition);
    if (due === undefined) return;
    for (const [id, tick] of due) {
      if (tick.token !== token) continue;
      due.delete(id);
      this.#watch?.tickRemoved?.(tick);
    }
  }

  pending(): PendingTick[] {
    return [...this.#pending.values()];
  }

  watch(partition: number, watcher: (due: DueTick) => void): { close(): void } {
    const watchers = this.#watchers.get(partition) ?? new Set();
    this.#watchers.set(partition, watchers);
    watchers.add(watcher);
    return { close: () => void watchers.delete(watcher) };
  }

  #fire(partition: number, id: string, address: ActorAddress): void {
    this.#pending.delete(id);
    const due = this.#due.get(partition) ?? new Map<string, DueTick>();
    this.#due.set(partition, due);
    const tick = { token: ++this.#token, address };
    due.set(id, tick);
    this.#watch?.tickFired?.(tick);
    for (const watcher of [...(this.#watchers.get(partition) ?? [])]) watcher(tick);
  }
}

function tickId(address: ActorAddress, epoch: number): string {
  return `${epoch}.${address.type}/${address.key}`;
}
