/** Arguments that every implementation of the ports refuses alike. Each throws `PortError` of kind `other`. */
import { assertSubject } from '@troupe/wire';
import { PortError } from './ports.ts';

/** Longest record key, characters. */
const KEY_LENGTH_MAX = 200;
const KEY_PATTERN = /^[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*$/;
const FILTER_TOKEN_PATTERN = /^[^\s.*>]+$/;

/** A record key is dot-separated tokens of letters, digits, `_`, `-` and `=`, 200 characters at most. */
export function assertRecordKey(key: string): void {
  if (KEY_PATTERN.test(key) && key.length <= KEY_LENGTH_MAX) return;
  throw new PortError(
    'other',
    `record key ${JSON.stringify(key)} is not valid: use dot-separated tokens of A-Z a-z 0-9 _ = -, ${KEY_LENGTH_MAX} characters at most`,
  );
}

/** A TTL is absent or at least a second. */
export function assertTtl(ttlMs: number | undefined): void {
  if (ttlMs === undefined || (Number.isFinite(ttlMs) && ttlMs >= 1000)) return;
  throw new PortError('other', `a record's ttlMs is at least 1,000, got ${ttlMs}`);
}

/** What can be published to. */
export function assertPublishable(subject: string): void {
  try {
    assertSubject(subject);
  } catch (error) {
    throw new PortError('other', (error as Error).message, { cause: error });
  }
}

/** What can be subscribed to; wildcards are allowed. */
export function assertFilter(subject: string): void {
  const tokens = subject.split('.');
  const valid = tokens.every(
    (token, i) => token === '*' || (token === '>' && i === tokens.length - 1) || FILTER_TOKEN_PATTERN.test(token),
  );
  if (!valid) throw new PortError('other', `can't subscribe to ${JSON.stringify(subject)}: it is not a valid subject`);
}
