/** The seam, scripted: what the client publishes is a list, and the test plays the server. */
import { decodePayload, encodeOutcome, encodeValue, type FailureRecord, failure, type Outcome } from '@troupe/wire';
import { findHeader } from '../../src/header-block.ts';
import type { TracingOptions } from '../../src/tracing.ts';
import { createTroupe, type Troupe } from '../../src/troupe.ts';
import type { OnMessage, Subscription, Wire, WireEvent } from '../../src/wire.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Published {
  readonly subject: string;
  readonly reply: string;
  readonly headers: string;
  readonly payload: Uint8Array;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export class FakeWire implements Wire {
  readonly server = 'nats://fake:4222';
  payloadBytesMax = 1_048_576;
  connected = true;
  /** Everything that was published, in order. */
  readonly published: Published[] = [];
  readonly subscribed = new Map<string, OnMessage>();
  /** Plays the server, when set. */
  onPublish: ((message: Published) => void) | undefined;
  closed = false;
  readonly #listeners: ((event: WireEvent) => void)[] = [];

  publish(subject: string, reply: string, headers: string, payload: Uint8Array): void {
    if (!this.connected) throw new Error('published without a connection');
    const message = { subject, reply, headers, payload };
    this.published.push(message);
    if (this.onPublish !== undefined) queueMicrotask(() => this.onPublish?.(message));
  }

  subscribe(subject: string, onMessage: OnMessage): Subscription {
    this.subscribed.set(subject, onMessage);
    return { close: () => void this.subscribed.delete(subject) };
  }

  onEvent(listener: (event: WireEvent) => void): void {
    this.#listeners.push(listener);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  emit(event: WireEvent): void {
    if (event.kind === 'connected') this.connected = true;
    if (event.kind === 'disconnected' || event.kind === 'closed') this.connected = false;
    for (const listener of this.#listeners) listener(event);
  }

  /** What was published last to subjects with this verb. */
  last(verb: string): Published {
    const found = this.of(verb).at(-1);
    if (found === undefined) throw new Error(`Nothing was published to ${verb}`);
    return found;
  }

  of(verb: string): Published[] {
    return this.published.filter(({ subject }) => subject.startsWith(`troupe.${verb}.`));
  }

  deliver(subject: string, payload: Uint8Array | string, headers = ''): void {
    const inbox = subject.startsWith('_INBOX') ? `${subject.slice(0, subject.lastIndexOf('.'))}.*` : subject;
    const body = typeof payload === 'string' ? bytes(payload) : payload;
    this.subscribed.get(inbox)?.(bytes(subject), headers, body);
  }

  ack({ reply }: Published, seq: number): void {
    this.deliver(reply, `{"stream":"JOURNAL", "seq":${seq}}`);
  }

  ackError({ reply }: Published, errCode: number, description: string): void {
    const error = { code: 503, err_code: errCode, description };
    this.deliver(
      reply,
      JSON.stringify({ type: 'io.nats.jetstream.api.v1.pub_ack_response', error, stream: 'JOURNAL', seq: 0 }),
    );
  }

  nobody({ reply }: Published): void {
    this.deliver(reply, '', 'NATS/1.0 503\r\n\r\n');
  }

  outcome(task: Published, outcome: Outcome, seq = 1): void {
    const replyTo = findHeader(task.headers, 'Troupe-Reply-To');
    if (replyTo !== undefined) this.deliver(replyTo, ...outcomeMessage(task, outcome, seq));
  }

  /** The outcome as it appears on the out subject. */
  publishOut(task: Published, outcome: Outcome, seq = 1): void {
    this.deliver(task.subject.replace('.task.', '.out.'), ...outcomeMessage(task, outcome, seq));
  }

  answer({ reply, headers }: Published, value: unknown): void {
    const packed = findHeader(headers, 'Accept') === 'application/msgpack';
    if (packed) this.deliver(reply, encodeValue(value), 'NATS/1.0\r\nContent-Type: application/msgpack\r\n\r\n');
    else this.deliver(reply, JSON.stringify(value));
  }

  refuse({ reply }: Published, record: FailureRecord): void {
    const headers = `NATS/1.0\r\nNats-Service-Error-Code: 503\r\nNats-Service-Error: ${record.message}\r\n\r\n`;
    this.deliver(reply, JSON.stringify(record), headers);
  }
}

function outcomeMessage(task: Published, outcome: Outcome, seq: number): [Uint8Array, string] {
  const [, , type = '', key = ''] = task.subject.split('.');
  const taskId = findHeader(task.headers, 'Troupe-Task-Id') ?? `${seq}`;
  const contentType = findHeader(task.headers, 'Content-Type') as 'application/json' | undefined;
  const info = { actor: { type, key }, seq, taskId, version: 1, effectId: `${type}/${key}@${seq}.1`, outcome };
  const { payload, headers } = encodeOutcome(info, contentType);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return [payload, `NATS/1.0\r\n${lines.join('')}\r\n`];
}

export const ok = (value: unknown): Outcome => ({ ok: true, value });
export const failed = (code: string, message = 'It failed.'): Outcome => ({ ok: false, error: failure(code, message) });
export const bodyOf = (message: Published): unknown => decodePayload(message.payload, undefined).value;
/** A query without the time that the client allows for it. */
export const queryOf = (message: Published): unknown => {
  const { timeoutMs: _timeoutMs, ...query } = bodyOf(message) as Record<string, unknown>;
  return query;
};
export const headerOf = (message: Published, name: string): string | undefined => findHeader(message.headers, name);

export interface Rig {
  readonly wire: FakeWire;
  readonly clock: VirtualClock;
  readonly troupe: Troupe;
}

/** A client on a scripted wire, in virtual time. */
export function rig(
  options: TracingOptions & { inFlightMax?: number; queueMax?: number; connected?: boolean } = {},
): Rig {
  const wire = new FakeWire();
  wire.connected = options.connected ?? true;
  const clock = new VirtualClock();
  const { inFlightMax = 4_096, queueMax = 65_536, trace, onSpan } = options;
  const troupe = createTroupe(wire, clock, {
    prefix: 'troupe',
    inboxPrefix: '_INBOX',
    ackTimeoutMs: 2_000,
    inFlightMax,
    queueMax,
    trace,
    onSpan,
  });
  return { wire, clock, troupe };
}

/** What a promise came to, without waiting for it: `undefined` while it is open. */
export function track<T>(promise: Promise<T>): {
  readonly result: { value: T } | { error: { code?: string; message: string; taskId?: string } } | undefined;
} {
  const tracked: { result: { value: T } | { error: { code?: string; message: string } } | undefined } = {
    result: undefined,
  };
  promise.then(
    (value) => {
      tracked.result = { value };
    },
    (error: Error) => {
      tracked.result = { error };
    },
  );
  return tracked;
}
