/** A tar archive (POSIX ustar) of plain files: all that a bundle needs. */

export interface ArchiveFile {
  /** Path inside, with `/`, at most 100 ASCII characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BLOCK_BYTES = 512;
const NAME_MAX = 100;
/** Octal digits of the size field. */
const SIZE_MAX = 8 ** 11 - 1;

/**
 * The archive, uncompressed. Files are readable by their owner only.
 *
 * @param atMs Time of the files, Unix ms.
 * @throws RangeError for a name or a size that the format can't hold.
 * @example gzipSync(tarOf([{ name: 'a.txt', bytes: Buffer.from('a') }], Date.now()))
 */
export function tarOf(files: readonly ArchiveFile[], atMs: number): Buffer {
  const blocks = files.flatMap(({ name, bytes }) => [
    headerOf(name, bytes.length, atMs),
    bytes,
    Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function headerOf(name: string, size: number, atMs: number): Buffer {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > NAME_MAX)
    throw new RangeError(`${JSON.stringify(name)} is no name for an archive: 1 to ${NAME_MAX} printable characters.`);
  if (size > SIZE_MAX) throw new RangeError(`${name} has ${size} bytes, more than an archive takes.`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o600, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(Math.floor(atMs / 1_000), 11), 136);
  // The checksum counts its own field as spaces.
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
