/** Values that the suites share. */
import assert from 'node:assert/strict';
import type { ActorAddress, StoredMessage } from '@troupe/wire';
import { PortError, type PortFailureKind, type ReaderOptions } from '../ports.ts';

export const john: ActorAddress = { type: 'support', key: 'john' };

/** Keys in every spelling that a subject makes difficult. */
export const KEYS = [
  'plain',
  'john.doe@x.org',
  'a b\tc',
  '*',
  '>',
  '=2E',
  '=',
  'grüße',
  '日本語',
  '🙂.🙃',
  'a/b:c',
  '..',
  'x'.repeat(256),
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(payload: Uint8Array): string {
  return decoder.decode(payload);
}

/** What a reader was told, in order. */
export class Told {
  readonly messages: StoredMessage[] = [];
  readonly events: (number | 'head')[] = [];
  lost: string | undefined;
  readonly #partition: number;
  readonly #fromSeq: number;
  readonly #onMessage: ((message: StoredMessage) => void) | undefined;

  constructor(partition: number, fromSeq = 1, onMessage?: (message: StoredMessage) => void) {
    this.#partition = partition;
    this.#fromSeq = fromSeq;
    this.#onMessage = onMessage;
  }

  get seqs(): number[] {
    return this.messages.map((message) => message.seq);
  }

  get atHead(): boolean {
    return this.events.at(-1) === 'head';
  }

  get options(): ReaderOptions {
    return {
      partition: this.#partition,
      fromSeq: this.#fromSeq,
      onMessage: (message) => {
        assert.equal(this.lost, undefined, 'an entry came after onLost');
        this.messages.push(message);
        this.events.push(message.seq);
        this.#onMessage?.(message);
      },
      onHead: () => {
        this.events.push('head');
      },
      onLost: (reason) => {
        this.lost = reason;
      },
    };
  }
}

/** The call fails with one of these kinds. */
export async function rejects(call: Promise<unknown>, ...kinds: PortFailureKind[]): Promise<PortError> {
  let failure: unknown;
  try {
    await call;
  } catch (error) {
    failure = error;
  }
  assert.ok(failure instanceof PortError, `expected a PortError of ${kinds.join(' or ')}, got ${String(failure)}`);
  assert.ok(kinds.includes(failure.kind), `expected ${kinds.join(' or ')}, got ${failure.kind}: ${failure.message}`);
  return failure;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** `count` numbers from `from` on. */
export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}
