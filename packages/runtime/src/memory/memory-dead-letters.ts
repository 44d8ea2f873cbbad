/** The dead letter port in memory. */
import { decodeValue, encodeValue } from '@troupe/wire';
import { compareAndSet } from '../conditional-write.ts';
import type { DeadLetter, DeadLetterPort } from '../ports.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryConnection } from './memory-connection.ts';

export class MemoryDeadLetters implements DeadLetterPort {
  readonly #broker: MemoryBroker;
  readonly #connection: MemoryConnection;

  constructor(broker: MemoryBroker, connection: MemoryConnection) {
    this.#broker = broker;
    this.#connection = connection;
  }

  async put(letter: DeadLetter): Promise<void> {
    const stored = copy(letter);
    const kept = this.#broker.deadLetters;
    await compareAndSet({
      clock: this.#connection.clock,
      expectedRevision: 0,
      attempt: (timeoutMs) =>
        this.#connection.call(
          'dead.put',
          () => {
            if (kept.has(letter.seq)) return { kind: 'mismatch' };
            kept.set(letter.seq, stored);
            return { kind: 'stored', revision: letter.seq };
          },
          timeoutMs,
        ),
      readBack: (timeoutMs) => {
        const find = () => kept.get(letter.seq);
        const found = this.#connection.call('dead.get', find, timeoutMs);
        return found.then((other) => other && { revision: letter.seq, mine: other === stored });
      },
    });
  }

  async get(seq: number): Promise<DeadLetter | undefined> {
    const letter = await this.#connection.call('dead.get', () => this.#broker.deadLetters.get(seq));
    return letter && copy(letter);
  }

  async *list(filter: { readonly type?: string; readonly key?: string }): AsyncIterable<DeadLetter> {
    const letters = await this.#connection.call('dead.list', () => [...this.#broker.deadLetters.values()]);
    for (const letter of letters) {
      if (filter.type !== undefined && filter.type !== letter.address.type) continue;
      if (filter.key !== undefined && filter.key !== letter.address.key) continue;
      yield copy(letter);
    }
  }

  remove(seq: number): Promise<boolean> {
    return this.#connection.call('dead.remove', () => this.#broker.deadLetters.delete(seq));
  }
}

/** Through the codec, as on the wire. */
function copy(letter: DeadLetter): DeadLetter {
  const { payload, ...rest } = letter;
  return { ...(decodeValue(encodeValue(rest)) as Omit<DeadLetter, 'payload'>), payload: payload.slice() };
}
