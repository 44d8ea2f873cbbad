/**
 * Actor references as machines see them: `self`, `children.x`, what `spawn()` returns. A reference says *which* node,
 * never in which state: what it answers comes from the frame (step, guard check, custom action) that is running. So one
 * reference serves all states of an actor, states stay immutable, and two steps from one state don't meet.
 *
 * Invariants
 * 1. A reference holds no state. `getSnapshot()` outside of a frame throws instead of answering from an old one.
 * 2. `sessionId` tells two nodes apart that had the same path one after the other.
 */
import { Actor, type AnyActorLogic, type AnyActorRef } from 'xstate';
import type { Engine, Frame } from './engine.ts';
import type { LogicKind } from './logic-kind.ts';
import type { NodeScope } from './node-scope.ts';
import { ROOT_PATH } from './path.ts';
import type { MachineEvent } from './types.ts';

/** XState's own numbers for where an actor stands in its life. */
export const NOT_STARTED = 0;
export const RUNNING = 1;
export const STOPPED = 2;
export type Processing = typeof NOT_STARTED | typeof RUNNING | typeof STOPPED;

/** What there is to know of a node. */
export interface NodeIdentity {
  readonly engine: Engine;
  readonly id: string;
  readonly sessionId: string;
  readonly path: string;
  readonly kind: LogicKind;
  readonly logic: AnyActorLogic;
  readonly src: string;
  readonly parent: NodeRef | undefined;
  readonly systemId: string | undefined;
  readonly syncSnapshot: boolean;
}

/** A reference to one node of an actor's tree. XState makes some itself; `adoptActor` turns those into this class. */
export class NodeRef {
  declare readonly engine: Engine;
  declare readonly path: string;
  declare readonly kind: LogicKind;
  declare readonly logic: AnyActorLogic;
  declare readonly src: string;
  declare id: string;
  declare sessionId: string;
  declare systemId: string | undefined;
  declare system: unknown;
  declare ref: NodeRef;
  declare send: (event: MachineEvent) => void;
  declare _parent: NodeRef | undefined;
  declare _syncSnapshot: boolean;
  declare _snapshot: { readonly status: string };
  /** What the driver keeps for stepping this node; made on first use. */
  declare scope: NodeScope | undefined;

  /** A fresh reference, for restored nodes. */
  static create(identity: NodeIdentity): NodeRef {
    const ref = new NodeRef();
    ref.id = identity.id;
    ref.sessionId = identity.sessionId;
    ref.systemId = identity.systemId;
    ref._parent = identity.parent;
    ref._syncSnapshot = identity.syncSnapshot;
    equip(ref, identity);
    return ref;
  }

  getSnapshot(): unknown {
    return frameOf(this).snapshotOf(this);
  }

  /** XState asks for it when it decides whether a child has to be stopped now or later. */
  get _processingStatus(): Processing {
    return frameOf(this).processingOf(this);
  }

  start(): this {
    frameOf(this).start(this);
    return this;
  }

  _send(event: MachineEvent): void {
    frameOf(this).deliver(this, event);
  }

  /** XState's constructor calls it last: the node's first snapshot is made here. */
  _initState(): void {
    this._snapshot = frameOf(this).adopt(this);
  }

  getPersistedSnapshot(): never {
    throw notDurable(this, 'getPersistedSnapshot()', 'the driver persists whole actors');
  }

  subscribe(): never {
    throw notDurable(this, 'subscribe()', 'use onSnapshot of the invoke, or syncSnapshot of the spawn');
  }

  on(): never {
    throw notDurable(this, 'on()', 'let the child sendParent() instead of emit()');
  }

  toJSON(): { readonly xstate$$type: 1; readonly id: string } {
    return { xstate$$type: 1, id: this.id };
  }
}

/** The root of every actor of one engine: which actor it stands for, the frame knows. */
export class RootRef extends NodeRef {
  static createRoot(engine: Engine): RootRef {
    const ref = new RootRef();
    ref.systemId = undefined;
    ref._parent = undefined;
    ref._syncSnapshot = false;
    equip(ref, { engine, path: ROOT_PATH, kind: 'machine', logic: engine.machine, src: engine.machine.id });
    Object.defineProperty(ref, 'id', { get: () => engine.frame?.address() ?? engine.machine.id, enumerable: true });
    Object.defineProperty(ref, 'sessionId', { get: () => ref.id, enumerable: true });
    return ref;
  }
}

type Equipment = Pick<NodeIdentity, 'engine' | 'path' | 'kind' | 'logic' | 'src'>;

function equip(ref: NodeRef, { engine, path, kind, logic, src }: Equipment): void {
  const target = ref as { -readonly [K in keyof NodeRef]: NodeRef[K] };
  target.engine = engine;
  target.path = path;
  target.kind = kind;
  target.logic = logic;
  target.src = src;
  target.system = engine.system;
  target.ref = ref;
  target.scope = undefined;
  // Bound, since machines take it off the reference.
  target.send = (event) => frameOf(ref).deliver(ref, event);
}

/**
 * Takes over an actor that XState's constructor is making right now: from here on it is a `NodeRef`, and the
 * constructor's last act, `_initState`, is ours.
 */
export function adoptActor(actor: AnyActorRef, equipment: Equipment): NodeRef {
  const shell = actor as unknown as Record<string, unknown>;
  for (const field of UNUSED) shell[field] = undefined;
  delete shell._processingStatus;
  const ref = Object.setPrototypeOf(actor, NodeRef.prototype) as NodeRef;
  equip(ref, equipment);
  return ref;
}

/** Whether a value is a reference to a node. */
export function isNodeRef(value: unknown): value is NodeRef {
  return value instanceof NodeRef;
}

const UNUSED = ['mailbox', 'observers', 'eventListeners', '_deferred', '_actorScope', 'clock', 'logger'];

/** Whether a value is an actor that runs outside of Troupe. */
export function isLiveActor(value: object): boolean {
  return value instanceof Actor;
}

function frameOf(ref: NodeRef): Frame {
  const { frame } = ref.engine;
  if (frame === undefined) {
    throw new Error(
      `The reference to '${ref.path}' was used outside of a step and of a custom action's synchronous part. Send to 'self' there, which stays usable.`,
    );
  }
  return frame;
}

function notDurable(ref: NodeRef, call: string, instead: string): Error {
  return new Error(`${call} on the reference to '${ref.path}' would not survive a restart: ${instead}.`);
}
