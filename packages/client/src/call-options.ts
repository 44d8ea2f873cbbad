/** Options of what can be done with an actor. */
import type { ContentType, TraceContext } from '@troupe/wire';

/** Options that tasks and signals have in common. */
export interface SendingOptions {
  /**
   * `[A-Za-z0-9_-]{1,128}`, unique per actor for 24 h: the same id again is the same task, with one effect and the same
   * outcome. Default: a random one.
   */
  readonly taskId?: string | undefined;
  /**
   * False: no task id, and so no retries either. It is published at most once; when its PubAck doesn't come, whether it
   * was accepted stays unknown. Saves the actor remembering the id. Default true. Not together with `taskId`.
   */
  readonly named?: boolean | undefined;
  /** How the payload is written, and the outcome answered. Default `application/json`. */
  readonly contentType?: ContentType | undefined;
  /** W3C trace context, carried through every hop. A malformed one is left out. */
  readonly trace?: TraceContext | undefined;
  /** Stops waiting (`Cancelled`). What was sent is not taken back. */
  readonly signal?: AbortSignal | undefined;
}

/** Options that `ask` and `send` have in common. */
export interface TaskOptions extends SendingOptions {
  /** The payload is the input of a task also when it looks like an event (has a string `type`). Default false. */
  readonly raw?: boolean | undefined;
}

/** Options of `ask`. */
export interface AskOptions extends TaskOptions {
  /**
   * How long the turn may take from acceptance, and the caller waits, ms. Default: the caller waits 60,000, the turn may
   * take what its definition says (60 s unless given). The actor allows 10 ms to 7 days.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Called with what the turn publishes of itself by `progress()` while it runs, such as tokens of a model. Nothing is kept:
   * what is missed shows as a gap in `n`. Not together with `named: false`. What it throws ends the waiting (`Cancelled`).
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A piece of what a running turn publishes of itself. */
export interface Progress {
  /** What `progress()` was given: text, or anything that JSON has. */
  readonly chunk: unknown;
  /** Its number within the effect that published it, from 1; it begins again when the effect is repeated. */
  readonly n: number;
  /** The effect that published it. */
  readonly effectId: string | undefined;
}

/** Options of `send`. */
export interface SendOptions extends TaskOptions {
  /** How long the turn may take from acceptance, ms. Default: what its definition says (60,000 unless given). */
  readonly deadlineMs?: number | undefined;
  /** How long to wait until it is accepted, ms. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** Options of `signal`. */
export interface SignalOptions extends SendingOptions {
  /** How long to wait until it is accepted, ms. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** Options of reads. */
export interface ReadOptions {
  /** How long to wait for the answer, ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Answer only once this journal sequence is applied: what `send` returned, to read one's own writes. */
  readonly minSeq?: number | undefined;
  /** Stops waiting (`Cancelled`). */
  readonly signal?: AbortSignal | undefined;
}

/** What was accepted. */
export interface Accepted {
  /** Its sequence in the journal. */
  readonly seq: number;
  /** The id given or made up; for an unnamed task its sequence. */
  readonly taskId: string;
}
