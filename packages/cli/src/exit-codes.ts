/** How the command ends, and which error ends it how. `docs/reference/cli.md` holds the same table. */
import { isTroupeError } from '@troupe/wire';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notConnected: 3,
  timeout: 4,
  interrupted: 130,
} as const;

/** One code in words. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'It did what was asked.',
  [EXIT.failed]: 'The outcome is an error, or something failed that is not below.',
  [EXIT.usage]: 'Arguments or config file can not be used.',
  [EXIT.notConnected]: 'NATS could not be reached, or refused the credentials.',
  [EXIT.timeout]: 'No answer came in time; whether it took effect is unknown.',
  [EXIT.interrupted]: 'Interrupted (Ctrl-C).',
};

const CODES: Readonly<Record<string, number>> = {
  ConfigInvalid: EXIT.usage,
  Usage: EXIT.usage,
  InvalidKey: EXIT.usage,
  InvalidType: EXIT.usage,
  InvalidTaskId: EXIT.usage,
  InvalidHeader: EXIT.usage,
  NotConnected: EXIT.notConnected,
  PermissionDenied: EXIT.notConnected,
  ServerMissing: EXIT.notConnected,
  ServerTooOld: EXIT.notConnected,
  Timeout: EXIT.timeout,
  NoOwner: EXIT.timeout,
};

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (!isTroupeError(error)) return EXIT.failed;
  return CODES[error.code] ?? EXIT.failed;
}
