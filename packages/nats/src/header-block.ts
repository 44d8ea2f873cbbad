/**
 * Header blocks as NATS sends them: `NATS/1.0[ status]\r\n(name: value\r\n)*\r\n`. Written and searched as text; no map is
 * built unless somebody wants all of them.
 */
import { checkedHeaders } from '@troupe/runtime/internal';
import { HEADERS } from '@troupe/wire';
import type { MsgHdrs } from 'nats';

const OUR_NAMES: ReadonlySet<string> = new Set(Object.values(HEADERS));
/** What a value may not have as it stands: line breaks, and the outer space that is trimmed. */
const UNCLEAN_VALUE = /[\r\n]|^\s|\s$/;

/** Headers encoded once, in the form the client's `publish` takes; undefined for none. Throws `PortError` if not valid. */
export function encodeHeaders(headers: Record<string, string> | undefined): MsgHdrs | undefined {
  if (headers === undefined) return undefined;
  const checked = isClean(headers) ? headers : checkedHeaders(headers);
  return checked === undefined ? undefined : trustedHeaders(checked);
}

/** The same for names and values that are known to be valid. */
export function trustedHeaders(headers: Record<string, string>): MsgHdrs {
  let block = 'NATS/1.0\r\n';
  for (const name in headers) block += `${name}: ${headers[name]}\r\n`;
  // The client calls nothing but `encode` on the headers that it sends.
  return new EncodedHeaders(Buffer.from(`${block}\r\n`)) as unknown as MsgHdrs;
}

class EncodedHeaders {
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  encode(): Uint8Array {
    return this.#bytes;
  }
}

/** Whether they can be written as they stand: some, all by names of our own. */
function isClean(headers: Record<string, string>): boolean {
  let some = false;
  for (const name in headers) {
    if (!OUR_NAMES.has(name) || UNCLEAN_VALUE.test(headers[name]!)) return false;
    some = true;
  }
  return some;
}

/** Size of what `encodeHeaders` gave. */
export function headerBytes(headers: MsgHdrs | undefined): number {
  return headers === undefined ? 0 : (headers as unknown as { encode(): Uint8Array }).encode().length;
}

/** First value of a header of exactly this name, trimmed. */
export function findHeader(block: string, name: string): string | undefined {
  const at = block.indexOf(`\r\n${name}:`);
  if (at === -1) return undefined;
  const from = at + name.length + 3;
  return block.slice(from, block.indexOf('\r\n', from)).trim();
}

/** Every header; of a name that comes twice, the first value. */
export function allHeaders(block: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = block.split('\r\n');
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    if (!Object.hasOwn(found, name)) setOwn(found, name, line.slice(colon + 1).trim());
  }
  return found;
}

/** The status code of the first line, 0 without one. */
export function statusOf(block: string): number {
  const status = /^NATS\/1\.0\s+(\d{3})/.exec(block);
  return status === null ? 0 : Number(status[1]);
}

/** The words behind the status code. */
export function statusText(block: string): string {
  return block.slice(0, block.indexOf('\r\n')).replace(/^NATS\/1\.0\s+\d{3}\s*/, '');
}

/** `__proto__` is a name like any other here. */
function setOwn(target: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
