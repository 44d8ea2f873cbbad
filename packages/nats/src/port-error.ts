/** What JetStream and the client answer, told as `PortError`. */
import { PortError, type PortFailureKind } from '@troupe/runtime';

/** The error part of a JetStream answer. */
export interface ApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** JetStream's error codes that decisions are taken by. */
export const API_ERRORS = {
  /** The sequence expected is not the last one: a definite mismatch. */
  wrongLastSequence: 10071,
  /** The same while another write to the subject is in flight on a replicated stream: try again. */
  wrongLastSequenceInFlight: 10164,
  noMessageFound: 10037,
  sequenceNotFound: 10043,
  /** Deleting a message failed; the description says why, for one that is gone "no message found". */
  deleteFailed: 10057,
  streamNotFound: 10059,
  streamNameInUse: 10058,
  consumerNotFound: 10014,
  subjectsOverlap: 10065,
  messageTooLarge: 10054,
  jetStreamOff: 10076,
  jetStreamOffForAccount: 10039,
  /** The stream can't store: its limit of bytes or messages is reached, or the disk is full. */
  storeFailed: 10077,
  storageExceeded: 10047,
  memoryExceeded: 10028,
  insufficientResources: 10023,
  /** No servers of the cluster can take the copies; the description says why, for one "insufficient storage". */
  noSuitablePeers: 10005,
  clusterNotAvailable: 10008,
  clusterNoLeader: 10009,
} as const;

const KINDS: ReadonlyMap<number | undefined, PortFailureKind> = new Map<number, PortFailureKind>([
  [API_ERRORS.storeFailed, 'full'],
  [API_ERRORS.storageExceeded, 'full'],
  [API_ERRORS.memoryExceeded, 'full'],
  [API_ERRORS.insufficientResources, 'full'],
  [API_ERRORS.messageTooLarge, 'too-large'],
  [API_ERRORS.jetStreamOff, 'disconnected'],
  [API_ERRORS.jetStreamOffForAccount, 'disconnected'],
  [API_ERRORS.clusterNotAvailable, 'disconnected'],
  [API_ERRORS.clusterNoLeader, 'disconnected'],
]);

/** A JetStream error as `PortError`; `what` says what was tried. The original is the `cause`. */
export function apiPortError(what: string, error: ApiError): PortError {
  const kind = KINDS.get(error.err_code) ?? 'other';
  const number = error.err_code ?? error.code;
  return new PortError(kind, `${what}: ${error.description ?? 'JetStream refused'} (${number})`, { cause: error });
}

/** JetStream's error code behind a `PortError`, undefined when there is none. */
export function apiErrorCode(error: unknown): number | undefined {
  if (!(error instanceof PortError)) return undefined;
  return (error.cause as ApiError | undefined)?.err_code;
}

/** Runs `build`, whose errors about subjects and addresses are the caller's, as a `PortError`. */
export function asPortError(what: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  return new PortError('other', `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
