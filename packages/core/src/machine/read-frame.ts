/**
 * The frame for looking at a state without stepping it: guards that are checked to see whether an event would be taken,
 * and custom actions. Sending and starting go where `send` says, or nowhere.
 */
import { type DriverState, snapshotIn } from './driver-state.ts';
import { type Engine, type Frame, GONE, type NodeSnapshot } from './engine.ts';
import { type NodeRef, type Processing, RUNNING, STOPPED } from './node-ref.ts';
import type { MachineEvent } from './types.ts';

export class ReadFrame implements Frame {
  readonly #state: DriverState;
  readonly #address: string;
  readonly #send: (ref: NodeRef, event: MachineEvent) => void;

  constructor(state: DriverState, address: string, send: (ref: NodeRef, event: MachineEvent) => void = () => {}) {
    this.#state = state;
    this.#address = address;
    this.#send = send;
  }

  address(): string {
    return this.#address;
  }

  snapshotOf(ref: NodeRef): NodeSnapshot {
    return snapshotIn(this.#state, ref) ?? GONE;
  }

  processingOf(ref: NodeRef): Processing {
    return this.snapshotOf(ref).status === 'active' ? RUNNING : STOPPED;
  }

  deliver(ref: NodeRef, event: MachineEvent): void {
    this.#send(ref, event);
  }

  systemRef(systemId: string): NodeRef | undefined {
    return this.#state.systemIds?.get(systemId);
  }

  systemRefs(): Record<string, NodeRef> {
    return Object.fromEntries(this.#state.systemIds ?? []);
  }

  start(): never {
    throw refusal('start a child');
  }

  adopt(): never {
    throw refusal('start a child');
  }

  constructing(): never {
    throw refusal('start a child');
  }

  nextId(): never {
    throw refusal('start a child');
  }

  claimSystemId(): never {
    throw refusal('start a child');
  }

  releaseSystemId(): never {
    throw refusal('stop a child');
  }

  microstepped(): never {
    throw refusal('make a transition');
  }

  schedule(): never {
    throw refusal('schedule an event');
  }

  cancel(): never {
    throw refusal('cancel an event');
  }
}

/** Runs `task` with `frame` as the engine's frame, and puts the one before back. */
export function withFrame<T>(engine: Engine, frame: Frame, task: () => T): T {
  const before = engine.frame;
  engine.frame = frame;
  try {
    return task();
  } finally {
    engine.frame = before;
  }
}

function refusal(what: string): Error {
  return new Error(`A guard or a custom action can't ${what}: use an action of the machine.`);
}
