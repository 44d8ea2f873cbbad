/** When a process is asked to stop: by a signal, or because the parent that started it has gone. */

/** Who asked. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'parent gone';

/** Exit code of a process that a signal ended, as shells write it. */
const SIGNAL_EXIT = { SIGTERM: 143, SIGINT: 130 } as const;

/**
 * Listens until the process ends. The second signal ends it at once, for people who can't wait.
 *
 * @returns the first request.
 */
export function listenForStop(): Promise<StopReason> {
  const requested = Promise.withResolvers<StopReason>();
  let asked = false;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (asked) process.exit(SIGNAL_EXIT[signal]);
    asked = true;
    requested.resolve(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', () => requested.resolve('parent gone'));
  return requested.promise;
}
