/**
 * The caller's traces: the context that calls go out with, and spans of the calls themselves.
 *
 * Invariants
 * 1. What the caller decided holds: of a trace that is not exported no span is told, and its context goes on as it is.
 * 2. Whatever the hooks throw, the call is made and ends as it would without them.
 */
import { randomBytes } from 'node:crypto';
import { correlationOf, isTroupeError, parentSpanOf, parseTrace, sampledBy, type TraceContext } from '@troupe/wire';
import type { SendingOptions } from './call-options.ts';
import type { Clock } from './clock.ts';
import type { Target } from './target.ts';

/** A call that has ended, as a span of OpenTelemetry: names, ids and times, nothing that was said. */
export interface ClientSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits; the parent of the turn. */
  readonly spanId: string;
  /** The caller's own span; undefined: the first of its trace. */
  readonly parentId: string | undefined;
  /** `ask support`, `send support`, `signal support`. */
  readonly name: string;
  /** `client`: until the outcome; `producer`: until it was accepted. */
  readonly kind: 'client' | 'producer';
  /** Unix ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** `troupe.actor.type`, `troupe.actor.key`, and `troupe.task` where it is known. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  /** Code of the error that it ended with. */
  readonly error: string | undefined;
}

/** The part of the connection's options that is about traces. */
export interface TracingOptions {
  /**
   * The W3C context that is active where a call is made; asked at every `ask`, `send` and `signal` without a `trace` of its own.
   * Default: none.
   */
  readonly trace?: (() => TraceContext | undefined) | undefined;
  /**
   * Told of every `ask`, `send` and `signal` once it has ended, as a span between the caller's and the actor's, unless the
   * caller's context says that its trace is not exported. Default: no spans.
   */
  readonly onSpan?: ((span: ClientSpan) => void) | undefined;
}

type Verb = 'ask' | 'send' | 'signal';

/** The context that a call goes out with; `undefined` when it goes as it is. */
export interface TracedCall {
  readonly trace: TraceContext | undefined;
  /** Tells of its end. @returns the same promise. */
  follow<T>(ending: Promise<T>): Promise<T>;
}

export class Tracing {
  readonly #options: TracingOptions;
  readonly #clock: Clock;

  constructor(options: TracingOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  begin(verb: Verb, { address }: Target, options: SendingOptions | undefined): TracedCall {
    const around = this.#around(options?.trace);
    const { onSpan } = this.#options;
    if (onSpan === undefined || sampledBy(around) === false) return { trace: around, follow: (ending) => ending };
    const traceId = correlationOf(around) ?? randomBytes(16).toString('hex');
    const spanId = randomBytes(8).toString('hex');
    const startMs = this.#clock.now();
    const startedMs = this.#clock.monotonic();
    const end = (taskId: string | undefined, error: string | undefined): void => {
      const span: ClientSpan = {
        traceId,
        spanId,
        parentId: parentSpanOf(around),
        name: `${verb} ${address.type}`,
        kind: verb === 'ask' ? 'client' : 'producer',
        startMs,
        endMs: startMs + this.#clock.monotonic() - startedMs,
        attributes: { 'troupe.actor.type': address.type, 'troupe.actor.key': address.key, 'troupe.task': taskId },
        error,
      };
      quietly(() => onSpan(span));
    };
    const state = around?.tracestate === undefined ? {} : { tracestate: around.tracestate };
    return {
      trace: { traceparent: `00-${traceId}-${spanId}-01`, ...state },
      follow: (ending) => {
        ending.then(
          (value) => end(options?.taskId ?? (verb === 'ask' ? undefined : taskIdIn(value)), undefined),
          (error: unknown) => end(options?.taskId ?? taskIdIn(error), isTroupeError(error) ? error.code : 'Unknown'),
        );
        return ending;
      },
    };
  }

  #around(given: TraceContext | undefined): TraceContext | undefined {
    const context = given ?? quietly(() => this.#options.trace?.());
    return context === undefined ? undefined : parseTrace(context.traceparent, context.tracestate);
  }
}

/** Invariant 2. */
function quietly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function taskIdIn(value: unknown): string | undefined {
  const { taskId } = (value ?? {}) as { readonly taskId?: unknown };
  return typeof taskId === 'string' ? taskId : undefined;
}
