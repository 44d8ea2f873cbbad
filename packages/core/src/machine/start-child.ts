/**
 * Running a child outside of the step, for the owner: promise, callback and observable logic run as live XState actors
 * under a stand-in for their parent, which passes on what they send. Call it within the effect's scope (`withEffectId`).
 *
 * Invariants
 * 1. After `stop()` none of the callbacks is called any more. At most one of `onOutput` and `onError` is, once.
 */
import { type AnyActorLogic, type AnyActorRef, createActor, fromTransition } from 'xstate';
import { kindOfLogic } from './logic-kind.ts';
import { parentPath, pathIds } from './path.ts';
import { type RefMarker, reviveRefs } from './ref-marker.ts';
import type { MachineEvent, RunningChild, StartChildOptions } from './types.ts';

interface LiveSnapshot {
  readonly status: string;
  readonly output?: unknown;
  readonly context?: unknown;
}

interface LiveActor {
  getSnapshot(): LiveSnapshot;
  send(event: MachineEvent): void;
  start(): void;
  /** What XState's parents call; `stop()` refuses on a child. */
  _stop(): void;
  on(type: string, handler: (event: MachineEvent) => void): unknown;
  subscribe(observer: { next(snapshot: LiveSnapshot): void; error(error: unknown): void }): unknown;
}

/** Starts `logic` as the child that `options` describe. */
export function startChild(logic: AnyActorLogic, options: StartChildOptions): RunningChild {
  let over = false;
  const finish = (report: () => void): void => {
    if (over) return;
    over = true;
    report();
  };
  const parent = standInParent(options, () => over);
  const refOf = (marker: RefMarker): unknown => standInRef(marker, parentPath(options.childPath), parent);
  const child = createActor(logic, {
    id: `${pathIds(options.childPath).at(-1)}#${options.effectId}`,
    parent,
    input: reviveRefs(options.input, refOf),
  } as never) as unknown as LiveActor;
  child.on('*', (event) => over || options.onEmit(event));
  const isObservable = kindOfLogic(logic) === 'observable';
  let last = child.getSnapshot();
  child.subscribe({
    next: (snapshot) => {
      if (snapshot.status === 'done') finish(() => options.onOutput(snapshot.output));
      // Every value makes another snapshot; the start, and events that such a child ignores, don't.
      else if (isObservable && !over && snapshot !== last) options.onNext(snapshot.context);
      last = snapshot;
    },
    error: (error) => finish(() => options.onError(error)),
  });
  child.start();
  return {
    send: (event) => {
      if (!over) child.send(reviveRefs(event, refOf) as MachineEvent);
    },
    stop: () => {
      over = true;
      child._stop();
    },
  };
}

/** Takes what the child sends to its parent. Its done and error events come by subscription instead. */
function standInParent(options: StartChildOptions, isOver: () => boolean): AnyActorRef {
  const relay = fromTransition((context: undefined, event: MachineEvent) => {
    if (!isOver() && !event.type.startsWith('xstate.')) options.onEvent(event);
    return context;
  }, undefined);
  return createActor(relay, { id: parentPath(options.childPath) }).start();
}

/** A reference for a marker: the parent's takes events, any other node is out of reach from here. */
function standInRef(marker: RefMarker, parentAt: string, parent: AnyActorRef): unknown {
  const path = marker['troupe.ref'];
  if (path === parentAt) return parent;
  return {
    id: path,
    sessionId: marker.session,
    send: () => {
      throw new Error(`A child can send to its parent only, not to '${path}': let the parent forward it.`);
    },
  };
}
