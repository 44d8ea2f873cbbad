/**
 * A message that a consumer delivered, read straight from its bytes.
 *
 * The reply subject says where it comes from: `$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<consumer seq>.<time>.<pending>`,
 * or with `<domain>.<account>` before the stream and a token behind, in the newer form of 11 or 12 tokens.
 */
import type { JournalVerb, StoredMessage } from '@troupe/wire';
import type { Msg } from 'nats';
import { allHeaders, findHeader } from './header-block.ts';
import { headerText } from './message-bytes.ts';

/** What the reply subject of a delivered message says. */
export interface Delivery {
  seq: number;
  consumerSeq: number;
  /** Unix ms. */
  at: number;
  /** Messages behind this one when the server sent it. */
  pending: number;
}

const DOT = 0x2e;
const ZERO = 0x30;
const TOKENS_OLD = 9;
/** Tokens of the newer form before `<seq>`. */
const SEQ_TOKEN_NEW = 7;
const SEQ_TOKEN_OLD = 5;
const NANO_DIGITS = 6;

/** Reads a reply subject into `into`; false when it is none of JetStream's. Allocates nothing. */
export function readDelivery(reply: Uint8Array, into: Delivery): boolean {
  if (reply.length < 7 || reply[0] !== 0x24 || reply[1] !== 0x4a || reply[4] !== 0x41) return false;
  let tokens = 1;
  for (let i = 0; i < reply.length; i++) if (reply[i] === DOT) tokens++;
  if (tokens < TOKENS_OLD) return false;
  let at = 0;
  for (let skip = tokens === TOKENS_OLD ? SEQ_TOKEN_OLD : SEQ_TOKEN_NEW; skip > 0; at++) if (reply[at] === DOT) skip--;
  const seqEnd = tokenEnd(reply, at);
  const consumerEnd = tokenEnd(reply, seqEnd + 1);
  const timeEnd = tokenEnd(reply, consumerEnd + 1);
  into.seq = digits(reply, at, seqEnd);
  into.consumerSeq = digits(reply, seqEnd + 1, consumerEnd);
  into.at = digits(reply, consumerEnd + 1, timeEnd - NANO_DIGITS);
  into.pending = digits(reply, timeEnd + 1, tokenEnd(reply, timeEnd + 1));
  return true;
}

function tokenEnd(bytes: Uint8Array, from: number): number {
  let end = from;
  while (end < bytes.length && bytes[end] !== DOT) end++;
  return end;
}

function digits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + bytes[i]! - ZERO;
  return value;
}

/** An entry of the journal; headers are read only when asked for. */
export class NatsStoredMessage implements StoredMessage {
  readonly seq: number;
  readonly at: number;
  readonly verb: JournalVerb;
  readonly type: string;
  readonly keyToken: string;
  readonly #msg: Msg;
  #block: string | undefined;

  constructor(
    msg: Msg,
    delivery: Delivery,
    place: { readonly verb: JournalVerb; readonly type: string; readonly keyToken: string },
  ) {
    this.seq = delivery.seq;
    this.at = delivery.at;
    this.verb = place.verb;
    this.type = place.type;
    this.keyToken = place.keyToken;
    this.#msg = msg;
  }

  /** A view into the received bytes, not a copy. */
  get payload(): Uint8Array {
    return this.#msg.data;
  }

  header(name: string): string | undefined {
    this.#block ??= headerText(this.#msg);
    return this.#block === '' ? undefined : findHeader(this.#block, name);
  }

  headers(): Record<string, string> {
    this.#block ??= headerText(this.#msg);
    return allHeaders(this.#block);
  }
}
