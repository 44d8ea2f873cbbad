/**
 * Pending timers of the virtual clock: a binary heap ordered by due time, then by the order of setting, so that two
 * timers due at the same instant always fire in the order in which they were set.
 */
export interface QueuedTimer {
  readonly dueAt: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

export class TimerQueue {
  readonly #heap: QueuedTimer[] = [];

  push(timer: QueuedTimer): void {
    const heap = this.#heap;
    heap.push(timer);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  /** The next timer that was not cancelled; it stays in the queue. */
  peek(): QueuedTimer | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === undefined) this.#removeFirst();
    return this.#heap[0];
  }

  shift(): QueuedTimer | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
