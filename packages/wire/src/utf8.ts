/**
 * UTF-8, the one place that takes the platform's encoder. Every runtime we target has `TextEncoder` and `TextDecoder`;
 * the compiler settings of this package just don't know them, which keeps everything else out.
 */
interface Encoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, target: Uint8Array): { readonly written: number };
}
interface Decoder {
  decode(bytes: Uint8Array): string;
}
const platform = globalThis as unknown as {
  TextEncoder: new () => Encoder;
  TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => Decoder;
};

const encoder = new platform.TextEncoder();
const decoder = new platform.TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Short texts share blocks of this size: writing into one is 20 times as fast as `encode`, which allocates each time. */
const SLAB_BYTES = 65_536;
const POOLED_BYTES_MAX = SLAB_BYTES / 4;
let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/** Encodes text; a lone surrogate becomes U+FFFD. The bytes may be a view of a larger buffer; they are never reused. */
export function encodeUtf8(text: string): Uint8Array {
  const bytesMax = text.length * 3;
  if (bytesMax > POOLED_BYTES_MAX) return encoder.encode(text);
  if (used + bytesMax > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const { written } = encoder.encodeInto(text, new Uint8Array(slab.buffer, used, bytesMax));
  const bytes = new Uint8Array(slab.buffer, used, written);
  used += written;
  return bytes;
}

/** Decodes bytes, or undefined when they are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes that `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) bytes += 1;
    else if (isPair(text, i, c)) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** Position of the first lone surrogate, or -1. */
export function loneSurrogateAt(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0xd800 || c > 0xdfff) continue;
    if (!isPair(text, i, c)) return i;
    i++;
  }
  return -1;
}

/** The text with every lone surrogate replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * The longest beginning of `text` that takes at most `bytesMax` bytes, never ending inside a surrogate pair.
 */
export function truncateUtf8(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const pair = isPair(text, i, c);
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : pair ? 4 : 3;
    if (bytes > bytesMax) return text.slice(0, i);
    if (pair) i++;
  }
  return text;
}

function isPair(text: string, i: number, c: number): boolean {
  return c >= 0xd800 && c <= 0xdbff && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}
