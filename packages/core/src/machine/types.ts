/**
 * The border between the engine (XState v5 today) and the rest of Troupe. Nothing outside this
 * folder imports `xstate`; nothing inside it knows of journals, turns or NATS.
 *
 * Invariants
 * 1. Every function here is pure: same state, same event, same scope gives the same result, and
 *    the state handed in is still usable afterwards. A throw leaves it untouched.
 * 2. Nothing runs during a step: no timer, no promise, no callback, no custom action. What the
 *    machine wants done comes back as `MachineAction`s, in the machine's own order.
 * 3. Ids come from the scope, never from the engine's process-wide counters or from randomness.
 * 4. A node of the tree is named by its path: ids joined with `/`; the root is `''`. A child id
 *    that contains `/` or `%` is percent-encoded in the path.
 */

import type { MachineBody } from '@troupe/wire';

/** An event as machines know it. */
export interface MachineEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Opaque to everybody but the driver. Immutable: a step returns another one. */
export interface MachineState {
  readonly __machineState: never;
}

/** What one step may use of the world. Made afresh for each step by `step.ts`. */
export interface MachineScope {
  /** Time of the step, Unix ms: what `Date.now()` answers inside it. */
  readonly now: number;
  /** Address of the actor, for logs, `self.id` of the root and seeds. */
  readonly address: { readonly type: string; readonly key: string };
  /** Seed of the step's randomness: `<type>/<key>@<seq>` and a counter, stable across replays. */
  readonly seed: string;
  /** A fresh id `<seq>.<n>`, unique in the actor for ever. */
  nextId(): string;
}

/** How the owner has to run a child that isn't stepped inside the actor. */
export type InvokeKind = 'promise' | 'callback' | 'observable' | 'ask' | 'tool';

/** What the machine wants done, as data. `path` names the node that asked for it. */
export type MachineAction =
  /** A child that runs outside the step. `childPath` is its own path. */
  | {
      readonly kind: 'invoke';
      readonly childPath: string;
      readonly invoke: InvokeKind;
      /** The name under `setup({ actors })` in the parent's machine. */
      readonly src: string;
      readonly input: unknown;
    }
  /** The node at `path` and everything below it has ended: its effects and timers are void, and timers aimed at it. */
  | { readonly kind: 'stop'; readonly path: string }
  /** `timerKey` is unique within the node: a second one with the same key replaces the first. */
  | {
      readonly kind: 'timer-set';
      readonly path: string;
      readonly timerKey: string;
      readonly delayMs: number;
      readonly targetPath: string;
      readonly event: MachineEvent;
    }
  | { readonly kind: 'timer-cancel'; readonly path: string; readonly timerKey: string }
  /** An event for a child that runs outside the step (callback actors receive events). */
  | { readonly kind: 'send-child'; readonly childPath: string; readonly event: MachineEvent }
  /** An event for another actor (`tell`, or `sendTo` with an actor's address). */
  | {
      readonly kind: 'send-actor';
      readonly to: { readonly type: string; readonly key: string };
      readonly event: MachineEvent;
      readonly delayMs?: number;
    }
  | { readonly kind: 'emit'; readonly path: string; readonly event: MachineEvent }
  | { readonly kind: 'log'; readonly path: string; readonly label?: string; readonly value: unknown }
  | { readonly kind: 'reply'; readonly output: unknown }
  | { readonly kind: 'fail'; readonly error: unknown }
  /**
   * A custom action function: `run` calls it with what it would have got in a live actor, and returns what it returns
   * (a promise, when it is asynchronous).
   */
  | {
      readonly kind: 'action';
      readonly path: string;
      readonly type: string;
      readonly run: (host: ActionHost) => unknown;
    };

/** What a custom action can reach while the owner runs it, long after the step. */
export interface ActionHost {
  /** Events sent to `self`, a child or through `system`: they become journal entries. */
  send(path: string, event: MachineEvent): void;
  /** `enqueue.emit` and friends from inside a custom action. */
  emit(path: string, event: MachineEvent): void;
}

export interface MachineStep {
  readonly state: MachineState;
  readonly actions: readonly MachineAction[];
  /** Whether the state value (of any node) differs from before: the stash is retried then. */
  readonly changed: boolean;
}

/** Whether a machine can take an event: there is a transition and its guard passes. */
export type Acceptance = 'now' | 'later' | 'never';

/** What people see of a state. */
export interface MachineView {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output?: unknown;
  readonly error?: unknown;
  readonly tags: readonly string[];
  readonly meta: Record<string, unknown>;
  /** Children by path, those stepped inside with their own view, the others with `running`. */
  readonly children: Record<string, ChildView>;
}

/** What people see of a child. One that was stopped is not shown. */
export interface ChildView {
  readonly src: string;
  readonly kind: 'machine' | 'transition' | InvokeKind;
  readonly status: MachineView['status'];
  /** Only of children that are stepped inside. */
  readonly view?: MachineView;
}

/** What kind of logic a node runs. */
export interface LogicInfo {
  readonly kind: 'machine' | 'transition' | InvokeKind;
  /** Name of the logic in its parent's machine; the machine's id for the root. */
  readonly src: string;
  /** What `createEffectLogic` was given, for `ask` and `tool`. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** One engine bound to one machine definition. */
export interface MachineDriver {
  /** `xstate@5`: stamped into stored states. */
  readonly engine: string;
  /** Hash of the machine's configuration and of its implementations' source text. */
  readonly hash: string;
  /** The machine as data, for drawing. Computed on first use. */
  structure(): MachineBody;
  /** Whether a `reply`/`fail` action occurs anywhere in the machine (decides the turn mode). */
  readonly replies: boolean;
  /** Every event type that some state handles; `'*'` when a wildcard does. */
  readonly eventTypes: readonly string[];
  /** The initial state with its entry actions. @throws what the machine's own code throws. */
  init(input: unknown, scope: MachineScope): MachineStep;
  /** Delivers an event to a node (`path` `''` is the root). */
  transition(state: MachineState, path: string, event: MachineEvent, scope: MachineScope): MachineStep;
  /** Ends a child that ran outside: its parent gets the done or error event. */
  settle(
    state: MachineState,
    childPath: string,
    result: { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: unknown },
    scope: MachineScope,
  ): MachineStep;
  /** A value of an observable child, for `onSnapshot` and its snapshot. */
  next(state: MachineState, childPath: string, value: unknown, scope: MachineScope): MachineStep;
  /**
   * Whether the root takes this event in this state, in another one, or never. Guards see the clock and randomness of
   * `scope`; without one, the time of the state's last step.
   */
  accepts(state: MachineState, event: MachineEvent, scope?: MachineScope): Acceptance;
  /** Event types the root takes in this very state, for error messages. */
  acceptedNow(state: MachineState): readonly string[];
  /** Whether a node at this path is still there and still runs; the root counts. */
  hasChild(state: MachineState, childPath: string): boolean;
  /** What runs at a path, and what its effect logic was made with; `undefined` when nothing is there. */
  logicOf(state: MachineState, childPath: string): LogicInfo | undefined;
  view(state: MachineState): MachineView;
  /** Cheap: whether the root has ended, and with what. */
  status(state: MachineState): { readonly status: 'active' | 'done' | 'error' | 'stopped'; readonly output: unknown };
  /** Cheap: whether the root is in a state with this tag. */
  hasTag(state: MachineState, tag: string): boolean;
  /** Cheap: the contexts (or transition states) of the root and of every child stepped inside, for size limits. */
  contexts(state: MachineState): readonly unknown[];
  /** Plain data for the codec (undefined, Date, Map, Set, bigint, typed arrays, Error kept). */
  persist(state: MachineState): unknown;
  restore(persisted: unknown): MachineState;
  /** Starts a child outside the step; called by the owner only. */
  start(options: StartChildOptions): RunningChild;
}

export interface StartChildOptions {
  readonly src: string;
  /** Path of the child: its parent's machine is looked up by it. */
  readonly childPath: string;
  readonly state: MachineState;
  readonly input: unknown;
  /** Handed to promise logic that asks for it through `effectId()`; also `self.id`'s suffix. */
  readonly effectId: string;
  onOutput(output: unknown): void;
  onError(error: unknown): void;
  /** Callback logic's `sendBack`. */
  onEvent(event: MachineEvent): void;
  /** Observable logic's values. */
  onNext(value: unknown): void;
  onEmit(event: MachineEvent): void;
}

export interface RunningChild {
  /** For callback logic's `receive`. */
  send(event: MachineEvent): void;
  /** Aborts the promise's signal, disposes the callback, unsubscribes the observable. Idempotent. */
  stop(): void;
}
