/** When a process is asked to stop: by a signal, or because the parent that started it has gone. */

/** Who asked. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'parent gone';

/** Exit code of a process that a signal ended, as shells write it. */
const SIGNAL_EXIT = { SIGTERM: 143, SIGINT: 130 } as const;

export interface StopListener {
  /** Resolves at the first request. */
  readonly requested: Promise<StopReason>;
  close(): void;
}

/** Listens. The second signal ends the process at once, for people who can't wait. */
export function listenForStop(): StopListener {
  let request: (reason: StopReason) => void = () => {};
  let asked = false;
  const requested = new Promise<StopReason>((resolve) => {
    request = resolve;
  });
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (asked) process.exit(SIGNAL_EXIT[signal]);
    asked = true;
    request(signal);
  };
  const onDisconnect = (): void => request('parent gone');
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', onDisconnect);
  return {
    requested,
    close: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      process.off('disconnect', onDisconnect);
    },
  };
}
