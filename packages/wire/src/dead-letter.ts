/** What a dead letter holds, read again: for showing it, and for applying its input once more. */
import { type ActorAddress, encodeKey, formatAddress } from './address.ts';
import { decodeEntry } from './entry.ts';
import { decodePayload } from './payload.ts';
import type { JournalVerb, SignalBody, TaskBody } from './record.ts';
import { TroupeError } from './troupe-error.ts';

/** As much of a dead letter as is read here. */
export interface DeadLetterSource {
  /** Sequence of the journal entry that could not be applied. */
  readonly seq: number;
  /** When that entry was stored, Unix ms. */
  readonly at: number;
  readonly address: ActorAddress;
  readonly verb: JournalVerb;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
}

/**
 * The input in a letter, to be applied again.
 *
 * @throws TroupeError its own reason when it can't be read; `InvalidPayload` for what an actor sent.
 * @example journal.append(letter.address, { kind: 'redrive', deadSeq: letter.seq, entry: deadLetterInput(letter) })
 */
export function deadLetterInput(letter: DeadLetterSource): TaskBody | SignalBody {
  const { seq, at, verb, address, headers, payload } = letter;
  const source = { seq, at, verb, type: address.type, keyToken: encodeKey(address.key), payload };
  const { body } = decodeEntry({ ...source, header: (name) => headers[name], headers: () => ({ ...headers }) }, {});
  if (body.kind === 'task' || body.kind === 'signal') return body;
  const actor = formatAddress(address);
  if (body.kind === 'invalid')
    throw new TroupeError(body.error.code, `Dead letter ${seq} can't be redriven as it is: ${body.error.message}`, {
      actor,
    });
  throw new TroupeError(
    'InvalidPayload',
    `Dead letter ${seq} is a ${body.kind} entry that Troupe made itself: only tasks and signals can be redriven.`,
    { actor },
  );
}

/** The payload of a letter as people read it: `payload` where it can be read, else its bytes in base64, or their number. */
export function deadLetterPayload({ verb, payload, headers }: DeadLetterSource): Record<string, unknown> {
  if (verb === 'event') return { payloadBytes: payload.length };
  try {
    return { payload: decodePayload(payload, headers['Content-Type']).value };
  } catch {
    return { payloadBase64: base64(payload) };
  }
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Without `Buffer` and `btoa`: this package runs anywhere. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => DIGITS[(word >> shift) & 63]!);
    const missing = Math.max(0, i + 3 - bytes.length);
    text += digits.slice(0, 4 - missing).join('') + '='.repeat(missing);
  }
  return text;
}
