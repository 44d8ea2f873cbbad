/**
 * Running a custom action: long after its step, with what it would have got in a live actor. What it sends goes to the
 * host and becomes journal entries; `self` and `system` stay usable after it has returned, as in `setTimeout(() =>
 * self.send(...))`, other references only until then.
 */
import { type DriverState, snapshotIn } from './driver-state.ts';
import { GONE } from './engine.ts';
import type { Kernel } from './kernel.ts';
import type { NodeRef } from './node-ref.ts';
import type { ExecutableAction } from './node-scope.ts';
import { ReadFrame, withFrame } from './read-frame.ts';
import type { ActionHost, MachineEvent } from './types.ts';

/** Runs it, and returns what it returns: a promise, when it is asynchronous. */
export function runCustomAction(kernel: Kernel, ref: NodeRef, action: ExecutableAction, host: ActionHost): unknown {
  const { engine } = kernel;
  const state = kernel.after ?? kernel.base;
  const address = kernel.address();
  const frame = new ReadFrame(state, address, (target, event) => host.send(target.path, event));
  const outside = (target: NodeRef): HostRef => hostRef(target, state, address, host);
  const system = {
    get: (systemId: string) => mapped(frame.systemRef(systemId), outside),
    getAll: () => Object.fromEntries(Object.entries(frame.systemRefs()).map(([id, target]) => [id, outside(target)])),
  };
  const { context, event } = action.info;
  return withFrame(engine, frame, () => action.exec!({ context, event, self: outside(ref), system }, action.params));
}

/** A reference that works at any time: it knows its state and where to send. */
interface HostRef {
  readonly id: string;
  readonly sessionId: string;
  readonly src: string;
  readonly systemId: string | undefined;
  readonly _parent: HostRef | undefined;
  send(event: MachineEvent): void;
  getSnapshot(): unknown;
}

function hostRef(ref: NodeRef, state: DriverState, address: string, host: ActionHost): HostRef {
  const root = ref._parent === undefined;
  return {
    id: root ? address : ref.id,
    sessionId: root ? address : ref.sessionId,
    src: ref.src,
    systemId: ref.systemId,
    get _parent() {
      return mapped(ref._parent, (parent) => hostRef(parent, state, address, host));
    },
    send: (event) => host.send(ref.path, event),
    getSnapshot: () => snapshotIn(state, ref) ?? GONE,
  };
}

function mapped<T, R>(value: T | undefined, map: (value: T) => R): R | undefined {
  return value === undefined ? undefined : map(value);
}
