/** A parked entry as bytes: the whole message, its headers as data, so that no server ever takes them for its own. */
import { decodeValue, encodeValue, type JournalVerb, type StoredMessage, TroupeError } from '@troupe/wire';
import type { ParkedEntry } from './ports.ts';

/** Raised only together with an upgrade. */
const FORMAT = 1;

interface StoredEntry {
  readonly format: number;
  readonly seq: number;
  readonly at: number;
  readonly verb: JournalVerb;
  readonly type: string;
  readonly keyToken: string;
  readonly done: boolean;
  readonly headers: readonly (readonly [string, string])[];
  readonly payload: Uint8Array;
}

export function encodeParked({ message, done }: ParkedEntry): Uint8Array {
  const { seq, at, verb, type, keyToken, payload } = message;
  const headers = Object.entries(message.headers());
  return encodeValue({ format: FORMAT, seq, at, verb, type, keyToken, done, headers, payload } satisfies StoredEntry);
}

/** @throws TroupeError `RecordTooNew` when a later release has written it. */
export function decodeParked(bytes: Uint8Array): ParkedEntry {
  const stored = decodeValue(bytes) as StoredEntry;
  if (stored.format !== FORMAT) {
    throw new TroupeError(
      'RecordTooNew',
      `A parked entry has format ${JSON.stringify(stored.format)}; this worker reads ${FORMAT}. Upgrade it.`,
    );
  }
  return { message: new ParkedMessage(stored), done: stored.done };
}

class ParkedMessage implements StoredMessage {
  readonly seq: number;
  readonly at: number;
  readonly verb: JournalVerb;
  readonly type: string;
  readonly keyToken: string;
  readonly payload: Uint8Array;
  readonly #headers: ReadonlyMap<string, string>;

  constructor(stored: StoredEntry) {
    this.seq = stored.seq;
    this.at = stored.at;
    this.verb = stored.verb;
    this.type = stored.type;
    this.keyToken = stored.keyToken;
    this.payload = stored.payload;
    this.#headers = new Map(stored.headers);
  }

  header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  headers(): Record<string, string> {
    return Object.fromEntries(this.#headers);
  }
}
