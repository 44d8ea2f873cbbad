/** What a worker under a parent tells it, again and again: that its event loop turns, and how it is. */
import type { Health } from '../health.ts';

/** Sent every `BEAT_MS`. */
export interface BeatMessage {
  readonly kind: 'beat';
  readonly health: Health;
  /** A debugger may have stopped it: it is not killed for being silent. */
  readonly debugged: boolean;
}

export const BEAT_MS = 500;

/** Sends beats to the parent until closed. A parent that doesn't read gets no more until it does: nothing piles up. */
export function sendBeats(health: () => Health, debugged: () => boolean): { now(): void; close(): void } {
  let sending = false;
  const beat = (): void => {
    if (sending || process.send === undefined || !process.connected) return;
    sending = true;
    const message: BeatMessage = { kind: 'beat', health: health(), debugged: debugged() };
    process.send(message, undefined, undefined, () => {
      sending = false;
    });
  };
  beat();
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  return { now: beat, close: () => clearInterval(timer) };
}

/** Whether an IPC message is a beat. */
export function isBeat(message: unknown): message is BeatMessage {
  return (message as { kind?: unknown } | null)?.kind === 'beat';
}
