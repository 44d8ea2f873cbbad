import { type AnyCode, TroupeError } from './troupe-error.ts';

/** Where in a value: property names and indexes from the root. */
export type ValuePath = readonly (string | number)[];

/**
 * The only error that encoding and decoding throw: `InvalidPayload` for bytes that can't be read, `NotStorable` for
 * values that can't be written, `PayloadTooLarge` beyond `CODEC_LIMITS.bytesMax`, `RecordTooNew` for records of a later
 * release.
 */
export class CodecError extends TroupeError {
  /** Where in the value, as `context.items[3]`; empty for the value itself and for bytes. */
  readonly path: string;

  constructor(code: AnyCode, message: string, path = '', cause?: unknown) {
    super(code, message, { cause, details: path === '' ? undefined : { path } });
    this.path = path;
  }
}

/** `['items', 3, 'a b']` as `items[3]["a b"]`; long paths are cut in the middle. */
export function formatPath(path: ValuePath): string {
  const shown = path.length <= 12 ? path : [...path.slice(0, 6), '…', ...path.slice(-5)];
  let text = '';
  for (const part of shown) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\p{L}_$…][\p{L}\p{N}_$-]*$/u.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part.slice(0, 64))}]`;
  }
  return text;
}
