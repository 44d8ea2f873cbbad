/**
 * What the journal holds, decoded. One stored message is one `JournalEntry`.
 *
 * Invariants
 * 1. Only `task` and `signal` come from outside; every other kind travels on the event subject,
 *    where clients have no permission, and is decoded from a versioned msgpack record.
 * 2. Decoding never throws: what can't be read becomes an `invalid` entry carrying the reason, so
 *    that every reader of the journal takes the same decision about it.
 * 3. An entry is plain data: it can be encoded, decoded and compared without a machine at hand.
 */
import type { ActorAddress } from './address.ts';
import type { FailureRecord } from './failure.ts';

/** Version of the msgpack records on event subjects. Raised only with an upgrade in `upgrade.ts`. */
export const RECORD_FORMAT = 1;

/** The three verbs of stored subjects. */
export type JournalVerb = 'task' | 'signal' | 'event';

/** Content type in which an outcome is answered. */
export type ContentType = 'application/json' | 'application/msgpack' | 'text/plain';

/** What an effect, a turn or an ask ended with. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: FailureRecord };

/** W3C trace context, carried untouched through every hop. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Fields common to the two kinds that clients publish. */
export interface ExternalBody {
  /** `[A-Za-z0-9_-]{1,128}`, chosen by the client; absent: the task is named by its sequence. */
  readonly taskId?: string;
  /** Hash of id and payload bytes (53-bit number), 0 when there is no id. */
  readonly payloadHash: number;
  /** Instant fixed by the client over its retries, Unix ms; absent: the entry's own time counts. */
  readonly createdAt?: number;
  /** `Troupe-Remember`: its client repeats the id no later than this after `createdAt`, ms; absent: 24 h. */
  readonly rememberMs?: number;
  /** The decoded payload. An object with a string `type` is an event unless `raw`. */
  readonly payload: unknown;
  /** `Troupe-Input: raw`: the payload is an input even when it looks like an event. */
  readonly raw: boolean;
  readonly contentType: ContentType;
  readonly trace?: TraceContext;
}

export interface TaskBody extends ExternalBody {
  readonly kind: 'task';
  /** Where to send the outcome, already validated; absent when none was given or it was refused. */
  readonly replyTo?: string;
  /** A reply address that was refused: recorded, never sent to. */
  readonly invalidReplyTo?: string;
  /** `Troupe-Deadline` as an instant (Unix ms) or a duration from acceptance (ms). Unclamped. */
  readonly deadline?: { readonly atMs: number } | { readonly afterMs: number };
}

export interface SignalBody extends ExternalBody {
  readonly kind: 'signal';
}

/** The end of an effect, whoever performed it: a promise, an ask's answer, a cancelled call. */
export interface OutcomeBody {
  readonly kind: 'outcome';
  readonly effectId: string;
  readonly result: Outcome;
}

/** One value of a streaming effect (callback, observable). `run` is the owner's epoch. */
export interface StreamBody {
  readonly kind: 'stream';
  readonly effectId: string;
  readonly run: number;
  /** Counts from 1 within a run. */
  readonly n: number;
  readonly item:
    | { readonly kind: 'event'; readonly event: { readonly type: string } }
    | { readonly kind: 'next'; readonly value: unknown }
    | { readonly kind: 'complete' }
    | { readonly kind: 'error'; readonly error: FailureRecord };
}

/** Another actor waits for the outcome, which goes back as an `outcome` entry in its journal. */
export interface AskBody {
  readonly kind: 'ask';
  readonly effectId: string;
  readonly from: ActorAddress;
  /** Time of the entry that caused it, Unix ms; bounds how long the sender is remembered (R10). */
  readonly causedAt: number;
  readonly payload: unknown;
  /** Unix ms, fixed by the asker. */
  readonly deadlineAt: number;
  /** Who waits for whom, oldest first, the asker last. At most 32. */
  readonly chain: readonly ActorAddress[];
  readonly trace?: TraceContext;
}

/** An event sent by another actor: nobody waits. */
export interface MessageBody {
  readonly kind: 'message';
  readonly effectId: string;
  readonly from: ActorAddress;
  readonly causedAt: number;
  readonly event: { readonly type: string };
  readonly trace?: TraceContext;
}

/** What a custom action of this very actor sent to itself or to a child while it ran. */
export interface SelfBody {
  readonly kind: 'self';
  /** Id of the action's effect, with a counter behind it: `<effectId>/<k>`. */
  readonly effectId: string;
  /** Path of the receiving child; `''` is the root. */
  readonly path: string;
  readonly event: { readonly type: string };
}

/** A wake-up. The step itself fires what is due. */
export interface TickBody {
  readonly kind: 'tick';
}

/** `retry: never`: whoever's claim is first may start the effect (R11). */
export interface ClaimBody {
  readonly kind: 'claim';
  readonly effectId: string;
  readonly epoch: number;
  readonly worker: string;
}

/** From here on the actor is folded by this version of its definition. */
export interface VersionBody {
  readonly kind: 'version';
  readonly version: number;
  readonly hash: string;
}

/** A person wants a dead letter applied again; accepted once per sequence. */
export interface RedriveBody {
  readonly kind: 'redrive';
  readonly deadSeq: number;
  readonly entry: TaskBody | SignalBody | AskBody | MessageBody;
}

/** Back to the initial state. Task ids stay remembered. */
export interface ResetBody {
  readonly kind: 'reset';
  readonly by: string;
}

/** Replaces the whole state by one that was exported. */
export interface ImportBody {
  readonly kind: 'import';
  readonly by: string;
  readonly state: unknown;
}

/** An operator cancels a pending timer by its id. */
export interface CancelTimerBody {
  readonly kind: 'cancel-timer';
  readonly timerId: string;
  readonly by: string;
}

/** Something stored that can't be read. The step records the refusal; the owner writes the dead letter. */
export interface InvalidBody {
  readonly kind: 'invalid';
  readonly verb: JournalVerb;
  readonly error: FailureRecord;
  readonly taskId?: string;
  readonly replyTo?: string;
  readonly contentType: ContentType;
}

export type EntryBody =
  | TaskBody
  | SignalBody
  | OutcomeBody
  | StreamBody
  | AskBody
  | MessageBody
  | SelfBody
  | TickBody
  | ClaimBody
  | VersionBody
  | RedriveBody
  | ResetBody
  | ImportBody
  | CancelTimerBody
  | InvalidBody;

/** What travels on the event subject: everything a worker writes. */
export type InternalBody = Exclude<EntryBody, TaskBody | SignalBody | InvalidBody>;

/** One stored message, decoded. */
export interface JournalEntry {
  /** Sequence in the journal stream, 1-based. */
  readonly seq: number;
  /** The stream's timestamp, Unix ms. */
  readonly at: number;
  readonly body: EntryBody;
}

/** One stored message as the journal port hands it over, not yet decoded. */
export interface StoredMessage {
  readonly seq: number;
  readonly at: number;
  readonly verb: JournalVerb;
  /** Subject tokens as stored, still encoded. */
  readonly type: string;
  readonly keyToken: string;
  readonly payload: Uint8Array;
  /** Value of the first header of that name (exact case), or undefined. */
  header(name: string): string | undefined;
  /** Every header, for dead letters. */
  headers(): Record<string, string>;
}
