/**
 * The bytes of a received message, without the strings, maps and copies of the client's public accessors. This is the one
 * place that looks inside the client's message (`nats` 2.29.3, the last of its line); without those insides it falls back
 * to the public accessors, so another version is slower, not wrong.
 */
import type { Msg } from 'nats';

interface Insides {
  readonly _msg?: { readonly subject: Uint8Array; readonly reply?: Uint8Array; readonly hdr: number };
  readonly _rdata?: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Subject as bytes. */
export function subjectBytes(msg: Msg): Uint8Array {
  return (msg as Insides)._msg?.subject ?? utf8.encode(msg.subject);
}

/**
 * Subject as text. A byte that is not part of UTF-8 becomes a lone surrogate, which no key has: read as U+FFFD, it would be
 * another spelling of a key that exists.
 */
export function subjectText(msg: Msg): string {
  const bytes = subjectBytes(msg);
  const read = text(bytes);
  return read.includes('\ufffd') && !isText(bytes) ? escaped(bytes) : read;
}

function isText(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function escaped(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
  return out;
}

/** Reply subject as bytes; empty when there is none. */
export function replyBytes(msg: Msg): Uint8Array {
  const insides = (msg as Insides)._msg;
  return insides !== undefined ? (insides.reply ?? EMPTY) : utf8.encode(msg.reply ?? '');
}

/** The header block as text, from `NATS/1.0` on; empty when there is none. */
export function headerText(msg: Msg): string {
  const { _msg, _rdata } = msg as Insides;
  if (_msg === undefined || _rdata === undefined) return msg.headers?.toString() ?? '';
  return _msg.hdr > 0 ? text(_rdata, 0, _msg.hdr) : '';
}

/** UTF-8 of a part of `bytes`; what a socket gave is a `Buffer` already, and then nothing is wrapped. */
export function text(bytes: Uint8Array, from = 0, to = bytes.length): string {
  if (bytes instanceof Buffer) return bytes.toString('utf8', from, to);
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}
