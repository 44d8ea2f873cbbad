/**
 * The seam to NATS: all that the client needs of a connection, and small enough to script in a test. `nats-wire.ts` is
 * the real one.
 *
 * Invariants every implementation keeps
 * 1. `publish` never waits and never throws for want of a connection; what is published while there is none is lost.
 *    The client doesn't publish then (`connected`).
 * 2. Messages of one subscription are handed over one at a time, in the order of arrival, never while `publish` or
 *    `subscribe` runs.
 * 3. Subscriptions survive reconnects, and are in place again before `connected` is reported.
 */

/**
 * A received message. `headers` is the block as text, empty without headers; `subject` and `payload` may be views that
 * are valid during the call only.
 */
export type OnMessage = (subject: Uint8Array, headers: string, payload: Uint8Array) => void;

/** What happens to a connection. */
export type WireEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  /** The server refused a publish or a subscription; everything else goes on. */
  | { readonly kind: 'denied'; readonly operation: 'publish' | 'subscription'; readonly subject: string }
  /** For good. */
  | { readonly kind: 'closed'; readonly error?: Error | undefined };

/** A subscription. */
export interface Subscription {
  /** Idempotent. */
  close(): void;
}

/** A connection to NATS. */
export interface Wire {
  /** Address of the server, without credentials. */
  readonly server: string;
  readonly connected: boolean;
  /** Most bytes of headers and payload together that the server takes. */
  readonly payloadBytesMax: number;
  /** `headers` is a whole block, or empty. `reply` may be empty. */
  publish(subject: string, reply: string, headers: string, payload: Uint8Array): void;
  subscribe(subject: string, onMessage: OnMessage): Subscription;
  onEvent(listener: (event: WireEvent) => void): void;
  /** Resolves once the server has got everything that was published and subscribed; rejects when it is away. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
