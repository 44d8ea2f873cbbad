/**
 * Headers as they travel: `NATS/1.0[ status]\r\n(Name: value\r\n)*\r\n`. Handled as one string, because building and
 * searching that is several times as fast as a map.
 */

/** First line of a block without a status. */
export const BLOCK_START = 'NATS/1.0\r\n';

/** First value of a header of exactly this name, or undefined. */
export function findHeader(block: string, name: string): string | undefined {
  const at = block.indexOf(`\r\n${name}:`);
  if (at === -1) return undefined;
  const from = at + name.length + 3;
  return block.slice(from, block.indexOf('\r\n', from)).trim();
}

/** The status code of the first line; 0 without one. */
export function statusOf(block: string): number {
  // 'NATS/1.0 503\r\n': a status follows a space.
  return block.charCodeAt(8) === 0x20 ? Number.parseInt(block.slice(9, 12), 10) || 0 : 0;
}

/** One line of a block. The value must be free of control characters. */
export function headerLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`;
}
