/** What a port reports, as an error of the family: with a code, and so an exit code. */
import { type ErrorCode, TroupeError } from '@troupe/wire';

const CODES: Readonly<Record<string, ErrorCode>> = {
  timeout: 'Timeout',
  disconnected: 'NotConnected',
  'no-responders': 'NotConnected',
  full: 'StreamFull',
  'too-large': 'PayloadTooLarge',
  denied: 'PermissionDenied',
  closed: 'Closed',
};

/** Goes by the name, so that nothing of the runtime need be loaded to tell. */
export function fromPortFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'PortError') return error;
  const { kind = 'other' } = error as { kind?: string };
  return new TroupeError(CODES[kind] ?? 'Internal', error.message.endsWith('.') ? error.message : `${error.message}.`, {
    cause: error,
  });
}
