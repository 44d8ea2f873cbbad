/** Dead letters, as the commands about them need them. */
import type { DeadLetter } from '@troupe/runtime';
import type { OpenPorts } from '@troupe/service-worker';
import { assertType, deadLetterPayload, formatAddress, parseAddress, TroupeError } from '@troupe/wire';
import { usageError } from '../usage-error.ts';

/** A dead letter as it is shown: the payload as a value where it can be read. */
export function letterView(letter: DeadLetter): Record<string, unknown> {
  const { payload: _bytes, address, ...fields } = letter;
  return { ...fields, actor: formatAddress(address), ...deadLetterPayload(letter) };
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
