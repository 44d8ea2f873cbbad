/** Dead letters, as the commands about them need them. */
import type { DeadLetter } from '@troupe/runtime';
import type { OpenPorts } from '@troupe/service-worker';
import {
  assertType,
  decodeEntry,
  decodePayload,
  encodeKey,
  formatAddress,
  parseAddress,
  type SignalBody,
  type TaskBody,
  TroupeError,
} from '@troupe/wire';
import { usageError } from '../usage-error.ts';

/** A dead letter as it is shown: the payload as a value where it can be read. */
export function letterView(letter: DeadLetter): Record<string, unknown> {
  const { payload, address, ...fields } = letter;
  return { ...fields, actor: formatAddress(address), ...payloadView(letter, payload) };
}

/** The sequence in an argument. @throws TroupeError `Usage` */
export function seqOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`SEQ is ${JSON.stringify(text)}: it is the whole number that troupe dead ls shows.`);
}

/** Which letters: of a type, of one actor, or all. @throws TroupeError `Usage`, `InvalidType`, `InvalidKey` */
export function letterFilter(which: string | undefined): { readonly type?: string; readonly key?: string } {
  if (which === undefined) return {};
  if (which.includes('/')) return parseAddress(which);
  assertType(which);
  return { type: which };
}

/** @throws TroupeError `NotFound` */
export async function findLetter(open: OpenPorts, seq: number): Promise<DeadLetter> {
  const letter = await open.ports.deadLetters.get(seq);
  if (letter !== undefined) return letter;
  throw new TroupeError(
    'NotFound',
    `There is no dead letter ${seq}. It may have been redriven or dropped, or is older than 30 days; troupe dead ls shows those there are.`,
  );
}

/**
 * The input in a letter, to be applied again.
 *
 * @throws TroupeError its own reason when it can't be read; `InvalidPayload` for what an actor sent.
 */
export function inputOf(letter: DeadLetter): TaskBody | SignalBody {
  const { body } = decodeEntry(
    {
      seq: letter.seq,
      at: letter.at,
      verb: letter.verb,
      type: letter.address.type,
      keyToken: encodeKey(letter.address.key),
      payload: letter.payload,
      header: (name) => letter.headers[name],
      headers: () => letter.headers,
    },
    {},
  );
  if (body.kind === 'task' || body.kind === 'signal') return body;
  if (body.kind === 'invalid')
    throw new TroupeError(
      body.error.code,
      `Dead letter ${letter.seq} can't be redriven as it is: ${body.error.message}`,
      { actor: formatAddress(letter.address) },
    );
  throw new TroupeError(
    'InvalidPayload',
    `Dead letter ${letter.seq} is a ${body.kind} entry that Troupe made itself: only tasks and signals can be redriven.`,
    { actor: formatAddress(letter.address) },
  );
}

function payloadView(letter: DeadLetter, payload: Uint8Array): Record<string, unknown> {
  if (letter.verb === 'event') return { payloadBytes: payload.length };
  try {
    return { payload: decodePayload(payload, letter.headers['Content-Type']).value };
  } catch {
    return { payloadBase64: Buffer.from(payload).toString('base64') };
  }
}
