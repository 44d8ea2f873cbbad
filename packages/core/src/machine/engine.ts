/**
 * One engine per machine definition: what all its actors share, and the frame that is running right now. Steps are
 * synchronous, so there is at most one frame; a nested one puts the outer one back.
 */
import type { AnyStateMachine } from 'xstate';
import { type NodeRef, type Processing, RootRef } from './node-ref.ts';
import { createEngineSystem, type EngineSystem } from './system.ts';
import type { MachineEvent } from './types.ts';

/** A node's snapshot as XState keeps it; only the fields that the driver reads. */
export interface NodeSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output?: unknown;
  readonly error?: unknown;
  readonly context?: unknown;
  readonly value?: unknown;
  readonly children?: Readonly<Record<string, NodeRef>>;
  readonly _nodes?: readonly { readonly id: string }[];
}

/** What references and the system answer from while machine code runs. */
export interface Frame {
  /** `<type>/<key>` of the actor. */
  address(): string;
  snapshotOf(ref: NodeRef): NodeSnapshot;
  processingOf(ref: NodeRef): Processing;
  deliver(ref: NodeRef, event: MachineEvent): void;
  start(ref: NodeRef): void;
  /** First snapshot of a node that XState is constructing. */
  adopt(ref: NodeRef): { readonly status: string };
  /** Called by XState's constructor, before `adopt`. */
  constructing(actor: unknown): void;
  microstepped(): void;
  nextId(): string;
  systemRef(systemId: string): NodeRef | undefined;
  systemRefs(): Record<string, NodeRef>;
  claimSystemId(systemId: string, ref: NodeRef): void;
  releaseSystemId(ref: NodeRef): void;
  schedule(source: NodeRef, target: NodeRef, event: MachineEvent, delayMs: number, id: string | undefined): void;
  cancel(source: NodeRef, id: string): void;
}

/** What the actors of one machine share. */
export interface Engine {
  readonly machine: AnyStateMachine;
  readonly system: EngineSystem;
  readonly root: NodeRef;
  frame: Frame | undefined;
}

/** An engine for a machine, with its system and the root's reference. */
export function createEngine(machine: AnyStateMachine): Engine {
  const engine: { -readonly [K in keyof Engine]: Engine[K] } = {
    machine,
    system: undefined as never,
    root: undefined as never,
    frame: undefined,
  };
  engine.system = createEngineSystem(engine);
  engine.root = RootRef.createRoot(engine);
  return engine;
}

/** The snapshot of a node that is gone. */
export const GONE: NodeSnapshot = Object.freeze({ status: 'stopped', output: undefined, error: undefined });
