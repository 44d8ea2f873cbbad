/** The web page that shows what the actors do. */

export { type InspectorPageOptions, inspectorPage } from './inspector-page.ts';
export {
  type ActorRow,
  type ActorsPush,
  type FullStep,
  LIVE_PATH,
  type LiveAnswer,
  type LiveChange,
  type LiveEffect,
  type LiveError,
  type LiveFrame,
  type LiveHello,
  type LiveMessage,
  type LiveOp,
  type LiveOps,
  type LivePush,
  type LiveRequest,
  type LiveSequence,
  type LiveSpan,
  type LiveStashed,
  type LiveState,
  type LiveStep,
  type StepsPush,
} from './live-protocol.ts';
