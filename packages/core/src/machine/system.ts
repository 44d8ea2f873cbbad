/**
 * The actor system that XState's code and the user's expressions see. Nothing is registered, scheduled or relayed here:
 * every call goes to the running frame.
 */
import type { Engine, Frame } from './engine.ts';
import type { NodeRef } from './node-ref.ts';
import { type Microstep, noteMicrostep } from './transition-log.ts';
import type { MachineEvent } from './types.ts';

/** The parts of XState's system that its 5.x code calls, and `get`/`getAll` for users. */
export interface EngineSystem {
  get(systemId: string): NodeRef | undefined;
  getAll(): Record<string, NodeRef>;
  readonly scheduler: {
    schedule(source: NodeRef, target: NodeRef, event: MachineEvent, delayMs: number, id?: string): void;
    cancel(source: NodeRef, id: string): void;
    cancelAll(source: NodeRef): void;
  };
  readonly _clock: unknown;
  readonly _logger: () => void;
  _bookId(): string;
  _register(sessionId: string): string;
  _unregister(ref: NodeRef): void;
  _set(systemId: string, ref: NodeRef): void;
  _relay(source: NodeRef | undefined, target: NodeRef, event: MachineEvent): void;
  _sendInspectionEvent(event: { readonly type: string; readonly actorRef?: unknown }): void;
  inspect(): never;
  getSnapshot(): { readonly _scheduledEvents: Record<string, never> };
}

/** The system of an engine. */
export function createEngineSystem(engine: Engine): EngineSystem {
  const frame = (): Frame => {
    if (engine.frame === undefined) throw new Error('The actor system was used outside of a step.');
    return engine.frame;
  };
  return {
    get: (systemId) => frame().systemRef(systemId),
    getAll: () => frame().systemRefs(),
    scheduler: {
      schedule: (source, target, event, delayMs, id) => frame().schedule(source, target, event, delayMs, id),
      cancel: (source, id) => frame().cancel(source, id),
      // A node that ends is reported as stopped, and its timers end with it.
      cancelAll: () => {},
    },
    _clock: undefined,
    _logger: () => {},
    _bookId: () => frame().nextId(),
    _register: (sessionId) => sessionId,
    _unregister: (ref) => frame().releaseSystemId(ref),
    _set: (systemId, ref) => frame().claimSystemId(systemId, ref),
    _relay: (_source, target, event) => frame().deliver(target, event),
    _sendInspectionEvent: (event) => {
      if (event.type === '@xstate.microstep') {
        frame().microstepped();
        noteMicrostep(event as Microstep);
      } else if (event.type === '@xstate.actor') frame().constructing(event.actorRef);
    },
    inspect: () => {
      throw new Error('inspect() is not available inside a step: observe the actor from outside.');
    },
    getSnapshot: () => ({ _scheduledEvents: {} }),
  };
}
