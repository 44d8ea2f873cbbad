/**
 * Which partition an actor belongs to, computed as the server's subject transform `partition(N, 2, 3)` does: 32-bit
 * FNV-1a over the bytes of the type token and the encoded key token, one after the other without a separator, modulo N.
 */
import type { ActorAddress } from './address.ts';
import { encodeKey } from './address.ts';
import { TroupeError } from './troupe-error.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Partitions of a journal stream unless configured otherwise; fixed for the stream's life. */
export const PARTITIONS_DEFAULT = 64;

/**
 * The partition of an actor, from 0 to `count - 1`. Throws `InvalidKey`, or `ConfigInvalid` when `count` isn't a positive
 * integer.
 *
 * @example partitionOf({ type: 'support', key: 'john' }, 64)
 */
export function partitionOf(address: ActorAddress, count: number): number {
  return partitionOfTokens(address.type, encodeKey(address.key), count);
}

/** The same, from tokens as they stand in a subject. */
export function partitionOfTokens(type: string, keyToken: string, count: number): number {
  if (!Number.isInteger(count) || count < 1) {
    throw new TroupeError('ConfigInvalid', `Partition count ${count} is not a positive integer.`);
  }
  return fnv1a(keyToken, fnv1a(type, FNV_OFFSET)) % count;
}

/** 32-bit FNV-1a over the UTF-8 bytes of `text`, going on from `seed`; unsigned. */
export function fnv1a(text: string, seed: number = FNV_OFFSET): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    const c = text.codePointAt(i)!;
    if (c < 0x80) {
      hash = Math.imul(hash ^ c, FNV_PRIME);
      continue;
    }
    if (c > 0xffff) i++;
    hash = mixCodePoint(hash, c);
  }
  return hash >>> 0;
}

function mixCodePoint(seed: number, c: number): number {
  let hash = seed;
  if (c < 0x800) hash = Math.imul(hash ^ (0xc0 | (c >> 6)), FNV_PRIME);
  else {
    if (c < 0x10000) hash = Math.imul(hash ^ (0xe0 | (c >> 12)), FNV_PRIME);
    else {
      hash = Math.imul(hash ^ (0xf0 | (c >> 18)), FNV_PRIME);
      hash = Math.imul(hash ^ (0x80 | ((c >> 12) & 0x3f)), FNV_PRIME);
    }
    hash = Math.imul(hash ^ (0x80 | ((c >> 6) & 0x3f)), FNV_PRIME);
  }
  return Math.imul(hash ^ (0x80 | (c & 0x3f)), FNV_PRIME);
}
