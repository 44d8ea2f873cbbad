/** One request under way: what `exchange.ts` moves about, whatever it waits for. */
import type { TroupeError } from '@troupe/wire';
import { WheelEntry } from './deadline-wheel.ts';
import type { About } from './errors.ts';
import type { Queued } from './fifo.ts';

/** The character before the number in a reply address: which of a call's answers it is. */
export const REPLY = {
  /** `a`: what the stream says to a publish. */
  ack: 0x61,
  /** `r`: the outcome of a task. */
  outcome: 0x72,
  /** `q`: the answer to a query. */
  query: 0x71,
} as const;

/** Where a call is. It moves to the right only. */
export type CallPlace = 'new' | 'queue' | 'flight' | 'done';

/** A call. Everything but its fields belongs to the exchange, which never calls it once it is done. */
export abstract class Call extends WheelEntry implements Queued {
  /** Names its answers. Never used twice by one connection. */
  readonly n: number;
  /** What it publishes to: refusals of the server name nothing else. */
  readonly subject: string;
  readonly about: About;
  place: CallPlace = 'new';

  constructor(n: number, subject: string, about: About) {
    super();
    this.n = n;
    this.subject = subject;
    this.about = about;
  }

  get done(): boolean {
    return this.place === 'done';
  }

  /** There is room and a connection: publish. */
  abstract launch(nowMs: number): void;
  /** An answer; `kind` is one of `REPLY`. */
  abstract onReply(kind: number, headers: string, payload: Uint8Array): void;
  abstract onDisconnected(): void;
  abstract onConnected(nowMs: number): void;
  /** When it ends at the latest, monotonic ms. */
  abstract get endAt(): number;
  /** True once something was published, so that what became of it may be unknown. */
  abstract get sent(): boolean;
  /** Takes it off the exchange and rejects its promise. */
  abstract fail(error: TroupeError): void;
}
