/** What travels and what is stored. Pure and browser-safe: no clock, no randomness, no I/O. */

export {
  type ActorAddress,
  assertType,
  decodeKey,
  encodeKey,
  formatAddress,
  KEY_BYTES_MAX,
  parseAddress,
  sameAddress,
  TYPE_PATTERN,
  validAddress,
} from './address.ts';
export { decodeState, decodeValue, encodeState, encodeValue } from './codec.ts';
export { CodecError } from './codec-error.ts';
export { CODES, type CodeInfo, codeInfo, type ErrorCode, isErrorCode, statusOf } from './codes.ts';
export {
  correlationId,
  correlationOf,
  derivedTrace,
  parentSpanOf,
  sampledBy,
  spanIdOf,
} from './correlation.ts';
export { type DeadLetterSource, deadLetterInput, deadLetterPayload } from './dead-letter.ts';
export { type EffectId, formatEffectId, parseEffectId } from './effect-id.ts';
export { type DecodeEntryOptions, decodeEntry, PAYLOAD_BYTES_MAX_DEFAULT, payloadHash } from './entry.ts';
export {
  FAILURE_LIMITS,
  type FailureContext,
  type FailureRecord,
  failure,
  fromFailureRecord,
  isFailureRecord,
  toFailureRecord,
} from './failure.ts';
export { hash53 } from './hash.ts';
export {
  assertReplyTo,
  assertTaskId,
  formatInstant,
  HEADERS,
  headerText,
  INBOX_PATTERN,
  parseContentType,
  parseCreated,
  parseDeadline,
  parseDuration,
  parseInstant,
  parseRemember,
  parseSeq,
  parseTrace,
  REMEMBER_MS_MAX,
  TASK_ID_PATTERN,
} from './headers.ts';
export { type EdgeOptions, toJsonValue } from './json.ts';
export { CODEC_LIMITS, FORBIDDEN_KEYS } from './limits.ts';
export { type MachineDialect, machineConfig } from './machine-config.ts';
export {
  decodeInspection,
  decodeObservation,
  type EffectObservation,
  type EndedTurn,
  INSPECTION_VERSION,
  type InspectedSnapshot,
  type InspectionActorEvent,
  type InspectionBase,
  type InspectionEvent,
  type InspectionEventEvent,
  type InspectionSnapshotEvent,
  OBSERVED_CONTEXT_BYTES_MAX,
  OBSERVED_EVENT_BYTES_MAX,
  type Observation,
  type Observed,
  type ObservedChild,
  type ObservedEffect,
  type ObservedEntry,
  type ObservedFailure,
  type ObservedState,
  type ObservedTurn,
  type StateObservation,
  type StepFacts,
  type StepObservation,
  type TakenTransition,
} from './observation.ts';
export { type DecodedOutcome, decodeOutcome, encodeOutcome, type OutcomeInfo, type OutcomeSource } from './outcome.ts';
export { fnv1a, PARTITIONS_DEFAULT, partitionOf, partitionOfTokens } from './partition.ts';
export { type DecodedPayload, decodePayload, encodePayload } from './payload.ts';
export {
  type AskBody,
  type CancelTimerBody,
  type ClaimBody,
  type ContentType,
  type EntryBody,
  type ExternalBody,
  type ImportBody,
  type InternalBody,
  type InvalidBody,
  type JournalEntry,
  type JournalVerb,
  type MessageBody,
  type Outcome,
  type OutcomeBody,
  RECORD_FORMAT,
  type RedriveBody,
  type ResetBody,
  type SelfBody,
  type SignalBody,
  type StoredMessage,
  type StreamBody,
  type TaskBody,
  type TickBody,
  type TraceContext,
  type VersionBody,
} from './record.ts';
export { decodeInternal, encodeInternal } from './record-codec.ts';
export {
  BUILT_IN_TYPES,
  HEADER_PREFIX,
  isReservedEvent,
  RESERVED_EVENT_PREFIXES,
  RESERVED_TYPES,
  SUBJECT_VERBS,
  type SubjectVerb,
  TASK_EVENT,
} from './reserved.ts';
export {
  activeStateIds,
  type InvokeStructure,
  type LogicStructure,
  type MachineBody,
  type MachineStructure,
  type NodeKind,
  type StateStructure,
  type TransitionStructure,
} from './structure.ts';
export {
  type ActorSubject,
  assertSubject,
  createSubjects,
  type ParkedSubject,
  PREFIX_DEFAULT,
  type StoredSubject,
  SUBJECT_LENGTH_MAX,
  type Subjects,
  type SubjectTransform,
} from './subjects.ts';
export {
  type SignalMessageOptions,
  signalMessage,
  type TaskMessageOptions,
  taskMessage,
  type WireMessage,
} from './task-message.ts';
export { type AnyCode, isTroupeError, TroupeError, type TroupeErrorOptions } from './troupe-error.ts';
