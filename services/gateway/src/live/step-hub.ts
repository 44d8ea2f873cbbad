/**
 * What happens to the actors that pages look at, as it happens. However many pages look at one, workers are asked once.
 *
 * Invariants
 * 1. At most `ACTORS_MAX` actors are observed at once; a further one is refused with `Busy`.
 * 2. A step that does not follow the one before it says so (`gap`): what is missing is in the history.
 */
import { watchActors } from '@troupe/inspect';
import type { LiveEffect, LiveStep } from '@troupe/service-inspector';
import { type Observation, TroupeError } from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import { liveEffect, liveStep } from './slim.ts';

/** Below the 64 watches that a worker keeps: there may be other watchers. */
const ACTORS_MAX = 48;

export type HubEvent =
  | { readonly kind: 'step'; readonly actor: string; readonly step: LiveStep; readonly gap: boolean }
  | { readonly kind: 'effect'; readonly actor: string; readonly effect: LiveEffect }
  /** Steps were left out. */
  | { readonly kind: 'gap'; readonly actor: string };

type Listener = (event: HubEvent) => void;

interface Observed {
  readonly listeners: Set<Listener>;
  readonly watch: { close(): void };
  /** Entries folded by the last step seen. */
  count: number;
}

export class StepHub {
  readonly #context: GatewayContext;
  readonly #observed = new Map<string, Observed>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  /** @returns how to stop. @throws TroupeError `Busy`. */
  subscribe(actor: string, listener: Listener): () => void {
    const observed = this.#observed.get(actor) ?? this.#observe(actor);
    observed.listeners.add(listener);
    return () => {
      observed.listeners.delete(listener);
      if (observed.listeners.size > 0 || this.#observed.get(actor) !== observed) return;
      this.#observed.delete(actor);
      observed.watch.close();
    };
  }

  close(): void {
    for (const { watch } of this.#observed.values()) watch.close();
    this.#observed.clear();
  }

  #observe(actor: string): Observed {
    if (this.#observed.size >= ACTORS_MAX) {
      throw new TroupeError(
        'Busy',
        `${ACTORS_MAX} actors are looked at already through this gateway. Close a page, or look at the history only.`,
        { retryable: true },
      );
    }
    const { ports, subjects } = this.#context;
    const onObservation = (observation: Observation): void => this.#receive(observation);
    const watch = watchActors({ bus: ports.bus, subjects, actors: [actor], onObservation });
    const observed: Observed = { listeners: new Set(), watch, count: 0 };
    this.#observed.set(actor, observed);
    return observed;
  }

  #receive(observation: Observation): void {
    const observed = this.#observed.get(observation.actor);
    if (observed === undefined) return;
    const event = toEvent(observation, observed.count);
    if (observation.kind !== 'effect') observed.count = observation.count;
    for (const listener of observed.listeners) listener(event);
  }
}

function toEvent(observation: Observation, countBefore: number): HubEvent {
  const { actor } = observation;
  switch (observation.kind) {
    case 'step': {
      const gap = countBefore !== 0 && observation.count !== countBefore + 1;
      return { kind: 'step', actor, step: liveStep(observation), gap };
    }
    case 'effect':
      return { kind: 'effect', actor, effect: liveEffect(observation) };
    case 'state':
      return { kind: 'gap', actor };
  }
}
