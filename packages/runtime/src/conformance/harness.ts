/** What a suite needs of an implementation and of the world around it. */
import type { Subjects } from '@troupe/wire';
import type { Ports } from '../ports.ts';

export interface HarnessOptions {
  /** Size at which the journal refuses more, bytes. Default: far away. */
  readonly journalBytesMax?: number;
}

/** A fresh, empty world: one server, and any number of workers' ports on it. */
export interface Harness {
  readonly subjects: Subjects;
  /** A worker of its own, with its own connection. */
  connect(): Promise<Ports>;
  /** Lets that much time pass. */
  pass(ms: number): Promise<void>;
  /** Waits for a call while the world goes on. */
  run<T>(call: Promise<T>): Promise<T>;
  /** Waits until the condition holds; fails after `ms` (default 10,000). */
  until(condition: () => boolean, ms?: number): Promise<void>;
  /** As any client would; resolves when the journal has it. */
  publishRaw(subject: string, payload: Uint8Array, headers?: Record<string, string>): Promise<void>;
  /** The server dies without a word; what it acknowledged stays. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** The next write that these ports send is carried out, but its acknowledgement never arrives. */
  loseNextAck(ports: Ports): void;
  close(): Promise<void>;
}

export type MakeHarness = (options?: HarnessOptions) => Promise<Harness>;

/** The part of a test framework that is used; vitest and node:test have it. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/** One test: a sentence, and what shows it. The harness is closed afterwards. */
export type Example = (sentence: string, body: (world: Harness) => Promise<void>, options?: HarnessOptions) => void;
export type Suite = (example: Example) => void;
