/** What a step wants done outside, in order. */
import { isInside } from './logic-kind.ts';
import type { NodeRef } from './node-ref.ts';
import { detachRefs } from './ref-marker.ts';
import type { InvokeKind, MachineAction, MachineEvent } from './types.ts';

export class ActionLog {
  readonly actions: MachineAction[] = [];

  /** Where the log stands now, for going back to. */
  get length(): number {
    return this.actions.length;
  }

  /** Takes back everything after `length`. */
  rewind(length: number): void {
    this.actions.length = length;
  }

  add(action: MachineAction): void {
    this.actions.push(action);
  }

  invoke(ref: NodeRef, input: unknown): void {
    if (isInside(ref.kind)) return;
    const invoke: InvokeKind = ref.kind;
    this.add({ kind: 'invoke', childPath: ref.path, invoke, src: ref.src, input: detachRefs(input) });
  }

  stop(ref: NodeRef): void {
    this.add({ kind: 'stop', path: ref.path });
  }

  sendChild(ref: NodeRef, event: MachineEvent): void {
    this.add({ kind: 'send-child', childPath: ref.path, event: detachRefs(event) });
  }

  emit(ref: NodeRef, event: MachineEvent): void {
    this.add({ kind: 'emit', path: ref.path, event: detachRefs(event) });
  }

  print(ref: NodeRef, values: readonly unknown[]): void {
    this.add({ kind: 'log', path: ref.path, value: values.length === 1 ? values[0] : values });
  }

  setTimer(source: NodeRef, target: NodeRef, event: MachineEvent, delayMs: number, timerKey: string): void {
    const targetPath = target.path;
    this.add({ kind: 'timer-set', path: source.path, timerKey, delayMs, targetPath, event: detachRefs(event) });
  }

  cancelTimer(source: NodeRef, timerKey: string): void {
    this.add({ kind: 'timer-cancel', path: source.path, timerKey });
  }
}
