/**
 * The connection to the gateway.
 *
 * Invariants
 * 1. Every question is answered, refused, or fails after `timeoutMs`.
 * 2. It comes back by itself; `onOpen` runs at every new connection, so that what is watched is asked for again.
 */
import { LIVE_PATH, type LiveFrame, type LiveOp, type LiveOps, type LivePush } from '../../src/live-protocol.ts';
import { Store } from './store.ts';

const TIMEOUT_MS = 20_000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;

/** What a question failed with. */
export class LiveFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'LiveFailure';
    this.code = code;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: LiveFailure): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class LiveSocket extends Store {
  #socket: WebSocket | undefined;
  #open = false;
  #retryMs = RETRY_MS_MIN;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();
  readonly #pushed = new Set<(push: LivePush) => void>();
  readonly #opened = new Set<() => void>();

  constructor() {
    super();
    this.#connect();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Tells of everything pushed. */
  onPush(listener: (push: LivePush) => void): () => void {
    this.#pushed.add(listener);
    return () => this.#pushed.delete(listener);
  }

  /** Runs now, if there is a connection, and at every later one. */
  onOpen(listener: () => void): () => void {
    this.#opened.add(listener);
    if (this.#open) listener();
    return () => this.#opened.delete(listener);
  }

  /** @throws LiveFailure with the gateway's code, `NotConnected` or `Timeout`. */
  ask<O extends LiveOp>(op: O, args: LiveOps[O]['args']): Promise<LiveOps[O]['value']> {
    const socket = this.#socket;
    if (!this.#open || socket === undefined) {
      return Promise.reject(new LiveFailure('NotConnected', 'The gateway is not reachable at the moment.'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = new LiveFailure('Timeout', `No answer within ${TIMEOUT_MS / 1_000} s.`);
      const timer = setTimeout(() => this.#settle(id)?.reject(late), TIMEOUT_MS);
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
      socket.send(JSON.stringify({ id, op, args }));
    });
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }

  #connect(): void {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${LIVE_PATH}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#open = true;
      this.#retryMs = RETRY_MS_MIN;
      for (const listener of this.#opened) listener();
      this.changed();
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as LiveFrame);
    socket.onclose = () => {
      this.#open = false;
      for (const id of [...this.#waiting.keys()])
        this.#settle(id)?.reject(new LiveFailure('NotConnected', 'The connection to the gateway was lost.'));
      setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
      this.changed();
    };
  }

  #receive(frame: LiveFrame): void {
    if ('push' in frame) {
      for (const listener of this.#pushed) listener(frame);
      return;
    }
    const waiting = this.#settle(frame.id);
    if (frame.ok) waiting?.resolve(frame.value);
    else waiting?.reject(new LiveFailure(frame.error.code, frame.error.message));
  }
}
