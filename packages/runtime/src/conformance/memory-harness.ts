/** The world in memory, for the conformance suites: time moves only as fast as somebody waits for it. */

import type { Fault, Operation } from '../memory/faults.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { VirtualClock } from '../memory/virtual-clock.ts';
import type { Ports } from '../ports.ts';
import type { Harness, HarnessOptions } from './harness.ts';

const WRITES: ReadonlySet<string> = new Set([
  'journal.append',
  'journal.publish',
  'snapshot.save',
  'record.put',
  'dead.put',
]);
/** Longest that a call may take in virtual time, ms; every port call ends earlier. */
const CALL_MS_MAX = 60_000;

/** A broker of its own per test. */
export async function makeMemoryHarness(options: HarnessOptions = {}): Promise<Harness> {
  return new MemoryHarness(options);
}

class MemoryHarness implements Harness {
  readonly #clock = new VirtualClock();
  readonly #broker: MemoryBroker;
  readonly #losesNext = new Map<string, boolean>();
  readonly #names = new Map<Ports, string>();

  constructor({ journalBytesMax }: HarnessOptions) {
    this.#broker = new MemoryBroker({
      clock: this.#clock,
      ...(journalBytesMax !== undefined && { journalBytesMax }),
    });
  }

  get subjects(): Harness['subjects'] {
    return this.#broker.subjects;
  }

  async connect(): Promise<MemoryPorts> {
    const name = `worker-${this.#names.size + 1}`;
    const ports = this.#broker.connect({ name, faults: { decide: (operation) => this.#decide(operation) } });
    this.#names.set(ports, name);
    return ports;
  }

  pass(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async run<T>(call: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    call.then(done, done);
    await this.#clock.advanceUntil(() => settled, CALL_MS_MAX);
    if (!settled) throw new Error(`the call did not end within ${CALL_MS_MAX} ms of virtual time`);
    return call;
  }

  async until(condition: () => boolean, ms = 10_000): Promise<void> {
    if (!(await this.#clock.advanceUntil(condition, ms))) throw new Error(`not so within ${ms} ms of virtual time`);
  }

  async publishRaw(subject: string, payload: Uint8Array, headers?: Record<string, string>): Promise<void> {
    this.#broker.capture(subject, payload, headers);
  }

  async stopServer(): Promise<void> {
    this.#broker.stop();
  }

  async startServer(): Promise<void> {
    this.#broker.start();
  }

  loseNextAck(ports: Ports): void {
    this.#losesNext.set(this.#names.get(ports)!, true);
  }

  async close(): Promise<void> {
    for (const ports of this.#names.keys()) await ports.close();
  }

  #decide({ kind, connection }: Operation): Fault | undefined {
    if (!WRITES.has(kind) || this.#losesNext.get(connection) !== true) return undefined;
    this.#losesNext.delete(connection);
    return { lose: 'answer' };
  }
}
