/**
 * From an action that XState executes to what the driver reports. XState's own actions are executed: they only defer
 * sends, starts, stops and timers, which come back through the kernel. Custom actions are not run, but kept to be run.
 */
import { runCustomAction } from './custom-action.ts';
import type { Kernel } from './kernel.ts';
import type { NodeRef } from './node-ref.ts';
import type { ExecutableAction } from './node-scope.ts';
import type { ReplyParams } from './reply.ts';
import type { TellParams } from './tell.ts';
import type { MachineAction } from './types.ts';

/** Types of the actions that XState makes itself. */
const BUILT_IN = new Set(
  ['raise', 'sendTo', 'spawnChild', 'stopChild', 'cancel', 'emit', 'log'].map((name) => `xstate.${name}`),
);

/** Notes what an action wants done, at the place where a live actor would do it. */
export function recordAction(kernel: Kernel, ref: NodeRef, action: ExecutableAction): void {
  const { type, params, exec } = action;
  if (type === 'xstate.log') kernel.log.add(logAction(ref, params as LogParams));
  else if (type === 'troupe.reply') kernel.log.add(replyAction(params as ReplyParams));
  else if (type === 'troupe.tell') kernel.log.add(tellAction(params as TellParams));
  else if (BUILT_IN.has(type)) exec?.(action.info, params);
  // An action that is named but not implemented does nothing in a live actor either.
  else if (exec !== undefined) kernel.log.add(customAction(kernel, ref, action));
}

interface LogParams {
  readonly value: unknown;
  readonly label?: string;
}

function logAction(ref: NodeRef, { value, label }: LogParams): MachineAction {
  return { kind: 'log', path: ref.path, ...(label === undefined ? {} : { label }), value };
}

function replyAction({ kind, value }: ReplyParams): MachineAction {
  return kind === 'reply' ? { kind, output: value } : { kind, error: value };
}

function tellAction({ to, event, delayMs }: TellParams): MachineAction {
  return { kind: 'send-actor', to, event, ...(delayMs === undefined ? {} : { delayMs }) };
}

function customAction(kernel: Kernel, ref: NodeRef, action: ExecutableAction): MachineAction {
  return {
    kind: 'action',
    path: ref.path,
    type: action.type,
    run: (host) => runCustomAction(kernel, ref, action, host),
  };
}
