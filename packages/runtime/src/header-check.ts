/** Headers as every implementation of the ports sends them. */
import { PortError } from './ports.ts';

const NAME_PATTERN = /^[!-9;-~]+$/;

/**
 * A copy of the headers with surrounding space trimmed, as NATS does; undefined when there are none. Throws `PortError`
 * for a name that isn't printable ASCII without a colon, and for a value with a line break.
 */
export function checkedHeaders(headers: Record<string, string> | undefined): Record<string, string> | undefined {
  if (headers === undefined) return undefined;
  let copy: Record<string, string> | undefined;
  for (const name of Object.keys(headers)) {
    const value = headers[name]!;
    if (!NAME_PATTERN.test(name)) throw new PortError('other', `header name ${JSON.stringify(name)} is not valid`);
    if (/[\r\n]/.test(value)) throw new PortError('other', `header ${name} has a line break in its value`);
    copy ??= {};
    copy[name] = value.trim();
  }
  return copy;
}
