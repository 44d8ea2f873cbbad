/**
 * The scope that XState hands to a node's logic while it steps. One per reference, kept for its life: it holds no state
 * and goes to the kernel that is running. Its functions are bound, since logic takes them off the scope.
 */
import type { AnyActorScope } from 'xstate';
import type { Kernel } from './kernel.ts';
import type { NodeRef } from './node-ref.ts';
import type { MachineEvent } from './types.ts';

export type NodeScope = AnyActorScope;

/** An action as XState's machine hands it to its executor. */
export interface ExecutableAction {
  readonly type: string;
  readonly info: { readonly context: unknown; readonly event: MachineEvent };
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => unknown) | undefined;
}

/** The scope of a node. */
export function scopeOf(ref: NodeRef): NodeScope {
  ref.scope ??= createScope(ref);
  return ref.scope;
}

function createScope(ref: NodeRef): NodeScope {
  const { engine } = ref;
  const kernel = (): Kernel => engine.frame as Kernel;
  const scope = {
    self: ref,
    get id() {
      return ref.id;
    },
    get sessionId() {
      return ref.sessionId;
    },
    system: engine.system,
    logger: (...values: unknown[]) => kernel().log.print(ref, values),
    defer: (task: () => void) => kernel().defer(ref, task),
    emit: (event: MachineEvent) => kernel().log.emit(ref, event),
    stopChild: (child: NodeRef) => kernel().stopChild(ref, child),
    actionExecutor: (action: ExecutableAction) => kernel().perform(ref, action),
  };
  return scope as unknown as NodeScope;
}
