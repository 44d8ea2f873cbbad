/** When a process is asked to stop: by a signal, or because the parent that started it has gone. */

/** Who asked. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'parent gone';

/** Exit code of a process that a signal ended, as shells write it. */
export const SIGNAL_EXIT = { SIGTERM: 143, SIGINT: 130 } as const;

/** Whether somebody started this process with a channel: known from the start, for the channel may be gone later. */
const hadParent = process.send !== undefined;

/**
 * Listens until the process ends. The second signal ends it at once, for people who can't wait.
 *
 * @param onSecond what the second signal does. Default: the process ends.
 * @returns the first request.
 */
export function listenForStop(onSecond: (signal: 'SIGTERM' | 'SIGINT') => void = exitNow): Promise<StopReason> {
  const requested = Promise.withResolvers<StopReason>();
  let asked = false;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (asked) onSecond(signal);
    asked = true;
    requested.resolve(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', () => requested.resolve('parent gone'));
  // It may have gone before anybody listened, while the code was being loaded.
  if (hadParent && !process.connected) requested.resolve('parent gone');
  return requested.promise;
}

function exitNow(signal: 'SIGTERM' | 'SIGINT'): void {
  process.exit(SIGNAL_EXIT[signal]);
}
