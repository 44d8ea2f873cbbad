/**
 * The id of an effect: `<type>/<key>@<seq>.<n>`, the n-th effect of the entry with that sequence. The same on every
 * replay, so it is the idempotency key of whatever the effect does.
 */
import { type ActorAddress, formatAddress, parseAddress } from './address.ts';
import { TroupeError } from './troupe-error.ts';

/** An effect id, taken apart. */
export interface EffectId {
  readonly actor: ActorAddress;
  /** Sequence of the entry that caused it. */
  readonly seq: number;
  /** Which one of that entry, from 0. */
  readonly n: number;
}

/** @example formatEffectId({ actor: { type: 'support', key: 'john' }, seq: 17, n: 0 }) // 'support/john@17.0' */
export function formatEffectId(id: EffectId): string {
  return `${formatAddress(id.actor)}@${id.seq}.${id.n}`;
}

/**
 * Reads an effect id; the last `@` splits, so a key may hold one. Throws `InvalidPayload`, `InvalidType` or `InvalidKey`.
 */
export function parseEffectId(text: string): EffectId {
  const match = /^(.*)@([0-9]{1,16})\.([0-9]{1,9})$/s.exec(text);
  if (match === null) {
    throw new TroupeError(
      'InvalidPayload',
      `${JSON.stringify(text.slice(0, 100))} is not an effect id such as support/john@17.0.`,
    );
  }
  return { actor: parseAddress(match[1]!), seq: Number(match[2]), n: Number(match[3]) };
}
