/** What was typed can't be used. */
import { TroupeError } from '@troupe/wire';

/** An error that says what was typed, and what to type. Exit code 2. */
export function usageError(message: string): TroupeError {
  return new TroupeError('Usage', message);
}
