/**
 * Core NATS inside the memory broker: subjects with wildcards, queue groups, and nothing kept.
 *
 * Invariants
 * 1. A message goes to every plain subscription that matches and to one member of every queue group that does.
 * 2. Members of a queue group take turns, so that runs repeat exactly.
 */
export interface Subscription {
  readonly subject: string;
  readonly queue: string | undefined;
  /** Whether messages reach it now: its connection is up. */
  readonly reachable: () => boolean;
  readonly receive: (message: RoutedMessage) => void;
}
export interface RoutedMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

export class MessageRouter {
  readonly #exact = new Map<string, Set<Subscription>>();
  readonly #wild = new Set<Subscription>();
  readonly #turns = new Map<string, number>();

  subscribe(subscription: Subscription): { close(): void } {
    const group = isWild(subscription.subject) ? this.#wild : this.#exactGroup(subscription.subject);
    group.add(subscription);
    return {
      close: () => {
        group.delete(subscription);
        if (group !== this.#wild && group.size === 0) this.#exact.delete(subscription.subject);
      },
    };
  }

  /** Delivers, and says to how many. */
  publish(message: RoutedMessage): number {
    let count = 0;
    let queues: Map<string, Subscription[]> | undefined;
    for (const subscription of this.#matching(message.subject)) {
      if (!subscription.reachable()) continue;
      if (subscription.queue === undefined) {
        subscription.receive(message);
        count++;
        continue;
      }
      queues ??= new Map();
      const members = queues.get(subscription.queue) ?? [];
      queues.set(subscription.queue, members);
      members.push(subscription);
    }
    if (queues === undefined) return count;
    for (const [queue, members] of queues) this.#takeTurn(queue, members).receive(message);
    return count + queues.size;
  }

  *#matching(subject: string): Iterable<Subscription> {
    const exact = this.#exact.get(subject);
    if (exact !== undefined) yield* [...exact];
    if (this.#wild.size === 0) return;
    const tokens = subject.split('.');
    for (const subscription of [...this.#wild]) if (matches(subscription.subject, tokens)) yield subscription;
  }

  #takeTurn(queue: string, members: Subscription[]): Subscription {
    const turn = this.#turns.get(queue) ?? 0;
    this.#turns.set(queue, turn + 1);
    return members[turn % members.length]!;
  }

  #exactGroup(subject: string): Set<Subscription> {
    const group = this.#exact.get(subject) ?? new Set();
    this.#exact.set(subject, group);
    return group;
  }
}

function isWild(subject: string): boolean {
  return subject.includes('*') || subject.includes('>');
}

/** Whether a pattern with `*` and `>` takes a subject, given as tokens. */
export function matches(pattern: string, tokens: readonly string[]): boolean {
  const wanted = pattern.split('.');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '>') return tokens.length > i;
    if (i >= tokens.length || (wanted[i] !== '*' && wanted[i] !== tokens[i])) return false;
  }
  return wanted.length === tokens.length;
}
