/** One journal entry as the memory broker keeps it: bytes and headers, just as they came over the wire. */
import type { JournalVerb, StoredMessage } from '@troupe/wire';

export type Headers = Readonly<Record<string, string>>;

export class MemoryMessage implements StoredMessage {
  readonly seq: number;
  readonly at: number;
  readonly verb: JournalVerb;
  readonly type: string;
  readonly keyToken: string;
  readonly payload: Uint8Array;
  readonly subject: string;
  readonly #headers: Headers | undefined;

  constructor(
    seq: number,
    at: number,
    place: { readonly verb: JournalVerb; readonly type: string; readonly keyToken: string; readonly subject: string },
    payload: Uint8Array,
    headers: Headers | undefined,
  ) {
    this.seq = seq;
    this.at = at;
    this.verb = place.verb;
    this.type = place.type;
    this.keyToken = place.keyToken;
    this.subject = place.subject;
    this.payload = payload;
    this.#headers = headers;
  }

  header(name: string): string | undefined {
    return this.#headers !== undefined && Object.hasOwn(this.#headers, name) ? this.#headers[name] : undefined;
  }

  headers(): Record<string, string> {
    return { ...this.#headers };
  }

  /** As counted against the stream's limit. */
  get bytes(): number {
    return messageBytes(this.payload, this.#headers);
  }
}

/** Size of a message on the wire: payload and headers. */
export function messageBytes(payload: Uint8Array, headers: Headers | undefined): number {
  let bytes = payload.length;
  if (headers === undefined) return bytes;
  for (const name in headers) bytes += name.length + headers[name]!.length + 4;
  return bytes + 12;
}
