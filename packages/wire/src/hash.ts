/**
 * A fast 53-bit hash, for telling whether two payloads are the same. Not cryptographic: whoever can choose payloads can
 * make two of them collide, which only makes their own conflict go unnoticed.
 */

/** Going on from a hash: two 32-bit halves. */
interface Halves {
  a: number;
  b: number;
}

/**
 * Hash of a string (by its UTF-16 code units) or of bytes: an integer from 0 to 2^53 - 1, the same on every machine.
 *
 * @example hash53('order-17') === hash53('order-17') // true
 */
export function hash53(data: string | Uint8Array, seed = 0): number {
  const halves: Halves = { a: 0xdeadbeef ^ seed, b: 0x41c6ce57 ^ seed };
  if (typeof data === 'string') mixText(halves, data);
  else mixBytes(halves, data);
  return finish(halves, data.length);
}

function mixText(halves: Halves, text: string): void {
  let { a, b } = halves;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 2654435761);
    b = Math.imul(b ^ c, 1597334677);
  }
  halves.a = a;
  halves.b = b;
}

/** Four bytes at a time, then the rest one by one; the length goes into `finish`. */
function mixBytes(halves: Halves, bytes: Uint8Array): void {
  let { a, b } = halves;
  const words = bytes.length & ~3;
  let i = 0;
  for (; i < words; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    a = Math.imul(a ^ word, 2654435761);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 1597334677);
    b ^= b >>> 13;
  }
  for (; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 2654435761);
    b = Math.imul(b ^ bytes[i]!, 1597334677);
  }
  halves.a = a;
  halves.b = b;
}

function finish(halves: Halves, length: number): number {
  let a = halves.a ^ length;
  let b = halves.b ^ length;
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
