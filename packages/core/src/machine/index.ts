/** The machine driver: the border between XState and the rest of Troupe. */

export type { AnyStateMachine } from 'xstate';
export { createEffectLogic, type EffectKind, type EffectMeta, effectKind, effectMeta } from './effect-logic.ts';
export {
  AnonymousLogic,
  EndlessStep,
  NotStorable,
  UnhandledError,
  UnknownChild,
  UnknownLogic,
  UnreadableState,
} from './errors.ts';
export { MICROSTEPS_MAX } from './kernel.ts';
export { isNodeRef } from './node-ref.ts';
export { childPath, parentPath, pathIds, ROOT_PATH } from './path.ts';
export { createReplyAction, type ReplyExpression, type ReplyKind, replyKind } from './reply.ts';
export { enterSeed, leaveSeed } from './seeded-globals.ts';
export { createTellAction, type TellAddress, type TellExpression } from './tell.ts';
export { recordTransitions, TRANSITIONS_MAX } from './transition-log.ts';
export type {
  Acceptance,
  ActionHost,
  ChildView,
  InvokeKind,
  LogicInfo,
  MachineAction,
  MachineDriver,
  MachineEvent,
  MachineScope,
  MachineState,
  MachineStep,
  MachineView,
  RunningChild,
  StartChildOptions,
} from './types.ts';
export { createMachineDriver, ENGINE } from './xstate-driver.ts';
