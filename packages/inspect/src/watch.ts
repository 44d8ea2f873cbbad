/**
 * Watching actors: what workers tell, for as long as somebody looks.
 *
 * Invariants
 * 1. Subscribed first, asked for afterwards: nothing that the workers tell is missed.
 * 2. The watch is a lease, renewed at a third of its life; once closed, it is given back.
 */
import {
  decodeInspection,
  decodeObservation,
  type InspectionEvent,
  type Observation,
  type Subjects,
} from '@troupe/wire';

/** What watching needs of the world; the runtime's bus has it. */
export interface InspectBus {
  publish(subject: string, payload: Uint8Array): void;
  subscribe(
    subject: string,
    options: Record<string, never>,
    onMessage: (message: { readonly payload: Uint8Array }) => void,
  ): { close(): void };
}

export interface WatchClock {
  setTimer(callback: () => void, delayMs: number): { cancel(): void };
}

export interface WatchOptions {
  readonly bus: InspectBus;
  readonly subjects: Subjects;
  /** `<type>/<key>` of the actors to watch, at most 1,000. With neither `actors` nor `types`: all. */
  readonly actors?: readonly string[];
  readonly types?: readonly string[];
  /** How long workers go on when this watcher has vanished, ms, 1,000 to 60,000. Default 10,000. */
  readonly ttlMs?: number;
  /** Default: the real one. */
  readonly clock?: WatchClock;
  readonly onObservation?: (observation: Observation) => void;
  /** Every inspection event, those without an observation too. */
  readonly onEvent?: (event: InspectionEvent) => void;
}

const TTL_MS_DEFAULT = 10_000;
const encoder = new TextEncoder();
const REAL_CLOCK: WatchClock = {
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Watches until closed.
 *
 * @example
 * const watch = watchActors({ bus, subjects, actors: ['order/42'], onObservation: (seen) => show(seen) });
 * watch.close();
 */
export function watchActors(options: WatchOptions): { close(): void } {
  const { bus, subjects, actors, types, onObservation, onEvent, clock = REAL_CLOCK, ttlMs = TTL_MS_DEFAULT } = options;
  const onMessage = ({ payload }: { readonly payload: Uint8Array }): void => {
    if (onEvent !== undefined) {
      const event = decodeInspection(payload);
      if (event !== undefined) onEvent(event);
    }
    if (onObservation === undefined) return;
    const observation = decodeObservation(payload);
    if (observation !== undefined) onObservation(observation);
  };
  const subscriptions = subjectsOf(options).map((subject) => bus.subscribe(subject, {}, onMessage));
  const watcher = crypto.randomUUID();
  const ask = (leaseMs: number): void => {
    const watch = { watcher, ttlMs: leaseMs, ...(actors && { actors }), ...(types && { types }) };
    try {
      bus.publish(subjects.control('watch'), encoder.encode(JSON.stringify(watch)));
    } catch {
      // Without a connection there is nothing to see; the next renewal asks again.
    }
  };
  let timer: { cancel(): void } | undefined;
  const renew = (): void => {
    ask(ttlMs);
    timer = clock.setTimer(renew, ttlMs / 3);
  };
  renew();
  return {
    close: () => {
      timer?.cancel();
      ask(0);
      for (const subscription of subscriptions) subscription.close();
    },
  };
}

function subjectsOf({ subjects, actors, types }: WatchOptions): string[] {
  if (actors === undefined && types === undefined) return [subjects.every('inspect')];
  const named = (actors ?? []).map((name) => {
    const slash = name.indexOf('/');
    return subjects.inspect({ type: name.slice(0, slash), key: name.slice(slash + 1) });
  });
  return [...named, ...(types ?? []).map((type) => subjects.ofType('inspect', type))];
}
