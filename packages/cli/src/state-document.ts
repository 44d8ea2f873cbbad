/**
 * A state as a file: what `state export` writes and `state import` reads. The state itself is its stored form, byte for
 * byte, so that dates, maps and the like survive; `value` and `context` are there to be read by people only.
 */
import type { JournalState } from '@troupe/agent';
import { type ActorAddress, decodeState, encodeState, formatAddress, parseAddress } from '@troupe/wire';
import { readJsonObject } from './input.ts';
import { usageError } from './usage-error.ts';

/** Version of the document. */
const FORMAT = 'troupe-state-1';

export interface StateDocument {
  readonly format: typeof FORMAT;
  readonly actor: string;
  readonly version: number;
  readonly seq: number;
  /** RFC 3339, of the last entry. */
  readonly at: string;
  readonly value: unknown;
  readonly context: unknown;
  /** The stored form, Base64. */
  readonly state: string;
}

export function toDocument(state: JournalState): StateDocument {
  return {
    format: FORMAT,
    actor: formatAddress(state.address),
    version: state.version,
    seq: state.seq,
    at: new Date(state.at).toISOString(),
    value: state.value,
    context: state.context,
    state: Buffer.from(encodeState(state.store())).toString('base64'),
  };
}

/**
 * @param renamed old names of types, with those they have now: states of both are of one kind
 * @throws TroupeError `Usage` when it is none, or not of this type of actor; `InvalidPayload` when the bytes are damaged.
 */
export function fromDocument(
  text: string,
  target: ActorAddress,
  renamed: Readonly<Record<string, string>> = {},
): unknown {
  const { format, actor, state } = readJsonObject(text, 'The document');
  if (format !== FORMAT || typeof actor !== 'string' || typeof state !== 'string') {
    throw usageError(
      `The document is not one of troupe state export: its format is ${JSON.stringify(format)}, needed is "${FORMAT}".`,
    );
  }
  const { type } = parseAddress(actor);
  const now = (name: string): string => (Object.hasOwn(renamed, name) ? renamed[name]! : name);
  if (now(type) !== now(target.type))
    throw usageError(
      `The document holds a state of ${actor}, which can't become one of type '${target.type}', unless the config file says that one was renamed to the other.`,
    );
  return decodeState(new Uint8Array(Buffer.from(state, 'base64')));
}
