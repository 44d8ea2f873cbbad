/**
 * What a node has only while a step runs: its inbox, what it deferred, how far it is. The counterpart of the fields of
 * XState's `Actor`, thrown away at the end of the step.
 */
import type { NodeSnapshot } from './engine.ts';
import { NOT_STARTED, type NodeRef, type Processing, RUNNING, STOPPED } from './node-ref.ts';
import type { MachineEvent } from './types.ts';

export interface NodeRun {
  readonly ref: NodeRef;
  snapshot: NodeSnapshot;
  processing: Processing;
  /** Whether the inbox is being emptied: what arrives now waits its turn. */
  busy: boolean;
  /** Whether the inbox may be emptied: not before the node's start is complete. */
  open: boolean;
  /** Whether it is being stopped: what ends below it needs no report of its own. */
  stopping: boolean;
  readonly inbox: MachineEvent[];
  readonly deferred: (() => void)[];
  /** Input of a node that this step created. */
  input: unknown;
  /** Children of this node created in this step without an id of their own. */
  anonymous: NodeRef[] | undefined;
}

/** The run of a node that was there before the step. */
export function resumedRun(ref: NodeRef, snapshot: NodeSnapshot): NodeRun {
  const running = snapshot.status === 'active';
  return createRun(ref, snapshot, running ? RUNNING : STOPPED, running);
}

/** The run of a node that this step creates. */
export function createdRun(ref: NodeRef, snapshot: NodeSnapshot): NodeRun {
  return createRun(ref, snapshot, NOT_STARTED, false);
}

function createRun(ref: NodeRef, snapshot: NodeSnapshot, processing: Processing, open: boolean): NodeRun {
  return {
    ref,
    snapshot,
    processing,
    busy: false,
    open,
    stopping: false,
    inbox: [],
    deferred: [],
    input: undefined,
    anonymous: undefined,
  };
}
