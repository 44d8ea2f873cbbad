/**
 * Every code that an error of Troupe can carry: what it means and what to do about it.
 *
 * `status` is the number in the `Nats-Service-Error-Code` header and, at the gateway, the HTTP status. `retryable` says
 * whether the same request, sent again with the same task id, can end otherwise. `docs/reference/errors.md` holds the
 * same table for readers; a test compares the two both ways.
 */

/** One row of the table. */
export interface CodeInfo {
  /** HTTP-like number, 400 to 599. */
  readonly status: number;
  /** True when sending the same thing again can succeed without changing it. */
  readonly retryable: boolean;
  /** What happened, one sentence. */
  readonly meaning: string;
  /** What the reader should do, one sentence. */
  readonly action: string;
}

const row = (status: number, retryable: boolean, meaning: string, action: string): CodeInfo => ({
  status,
  retryable,
  meaning,
  action,
});

/** The table, by code. Application codes given to `fail()` are not in it and count as status 500, not retryable. */
export const CODES = {
  // What the caller sent
  UnknownActorType: row(
    404,
    false,
    'No live worker has a definition of this actor type.',
    'Check the spelling against the types named in the message, or start a worker that has the type.',
  ),
  ActorTypeRetired: row(
    410,
    false,
    'The type of the actor has ended: the config of its workers lists it under `retired`.',
    'Send to the type that took its place, or host it again.',
  ),
  UnknownEvent: row(
    422,
    false,
    'The machine can never accept an event of this type.',
    'Send one of the event types named in the message.',
  ),
  InvalidPayload: row(
    400,
    false,
    'The payload does not parse, breaks a codec limit, or fails the schema.',
    'Correct the payload at the path named in the message.',
  ),
  EventRejected: row(
    409,
    true,
    "The actor can't take the event in its present state, and the policy is to reject it.",
    'Send it again later, or define the policy defer.',
  ),
  EventDropped: row(
    409,
    true,
    "The actor can't take the event in its present state, and the policy is to drop it.",
    'Send it again later, or define the policy defer.',
  ),
  EndlessStep: row(
    500,
    false,
    'A step made too many microsteps: its machine goes round in eventless transitions.',
    'Give the cycle of always transitions a guard that ends it.',
  ),
  UnknownLogic: row(
    500,
    false,
    'The machine starts logic that is not among its actors.',
    'Add it to setup({ actors }).',
  ),
  UnreadableState: row(
    500,
    false,
    'A stored machine state does not fit the machine.',
    'Raise the version and add a migration, or deploy the definition that wrote it.',
  ),
  PayloadTooLarge: row(
    413,
    false,
    'The payload is larger than the limit.',
    'Send less, or store the data elsewhere and send a reference.',
  ),
  InvalidKey: row(
    400,
    false,
    'The key is empty, too long, not well-formed, or not in its one spelling.',
    'Use the spelling named in the message, or encode the key with encodeKey.',
  ),
  InvalidType: row(
    400,
    false,
    'The actor type does not match [a-z][a-z0-9-]{0,62} or is reserved.',
    'Rename the type.',
  ),
  InvalidTaskId: row(
    400,
    false,
    'The task id does not match [A-Za-z0-9_-]{1,128}.',
    'Choose an id of letters, digits, underscore and hyphen.',
  ),
  InvalidHeader: row(
    400,
    false,
    'A header that steers the task can not be read.',
    'Correct the header named in the message.',
  ),
  InvalidSubject: row(
    400,
    false,
    'The subject holds white space, a wildcard or an empty token.',
    'Build subjects with createSubjects.',
  ),
  ReservedEvent: row(
    403,
    false,
    'Event types beginning with xstate. or troupe. are made by the runtime only.',
    'Choose another event type.',
  ),
  InvalidReplyTo: row(
    400,
    false,
    'The reply address is neither an inbox nor under an allowed prefix; the outcome was not sent there.',
    'Use an inbox as reply address, or allow the prefix in the configuration.',
  ),

  // Admission and identity of tasks
  MailboxFull: row(
    429,
    true,
    'Too many tasks wait for this actor.',
    'Slow down and send the task again later under a new task id.',
  ),
  StreamFull: row(
    507,
    true,
    'The journal has no room; nothing was accepted.',
    'Wait for the purge or raise the stream limit, then retry with the same task id.',
  ),
  TaskIdConflict: row(
    409,
    false,
    'This task id was used with another payload.',
    'Use a new task id for a new payload.',
  ),
  TooManyTasks: row(
    429,
    true,
    'The actor remembers as many task ids as it may within 24 hours.',
    'Send without a task id, or spread the work over more actors.',
  ),
  TooLate: row(
    410,
    false,
    'The task or message is older than ids are remembered, so it may or may not have been applied.',
    'Look at the state of the actor, then send it as a new task if it is still wanted.',
  ),
  NotAccepted: row(503, true, 'The task could not be stored; it has no effect.', 'Retry with the same task id.'),
  Busy: row(
    429,
    true,
    'Too many requests wait, in this client or in the worker that was asked; nothing was done.',
    'Await some of them first, or raise inFlightMax or queueMax of connect(). Queries ask again by themselves.',
  ),
  NoOwner: row(
    503,
    true,
    'No worker owned the partition of this actor within the deadline.',
    'Check that workers run (troupe doctor), then retry.',
  ),
  NotFound: row(
    404,
    false,
    'There is no such actor, task or entry.',
    'Check the address; a query never creates an actor.',
  ),

  // How a turn or an ask ended
  OutcomeTooLarge: row(
    413,
    false,
    'The outcome of the turn is larger than the limit.',
    'Reply with less, or store the data elsewhere and reply with a reference.',
  ),
  OutcomeExpired: row(
    410,
    false,
    'The task was done, but its outcome is no longer remembered.',
    'Look at the state of the actor or at its history.',
  ),
  OutcomeUnknown: row(
    500,
    false,
    'An effect that may run only once was started by an owner that died, so its end is unknown.',
    'Find out at the called system, then decide in the machine.',
  ),
  DeadlineExceeded: row(
    504,
    false,
    'The turn did not end before its deadline.',
    'Raise Troupe-Deadline, or find out what the turn waited for.',
  ),
  AskTimeout: row(
    504,
    true,
    'The asked actor did not answer in time.',
    'Raise the timeout of the ask, or handle the error in the machine.',
  ),
  DeadlockError: row(
    409,
    false,
    'Actors wait for each other in a cycle, which the details name.',
    'Break the cycle: answer before asking, or send a message instead of an ask.',
  ),
  ChainTooDeep: row(
    409,
    false,
    'The chain of asks holds more than 32 actors.',
    'Shorten the chain, or send a message instead of an ask.',
  ),
  ActorDone: row(
    410,
    false,
    'The machine reached its final state and takes no more tasks.',
    "Use another key, or define the actor with onDone: 'restart'.",
  ),
  ActorSuspended: row(
    503,
    true,
    'The actor is suspended; its entries are parked and nothing is lost.',
    'Read the reason in the details, repair it, then resume the actor.',
  ),
  Quarantined: row(
    500,
    false,
    'The entry ended the process of its worker again and again in its step, so it was set aside without effect.',
    'Correct the machine, then redrive the dead letter.',
  ),
  Cancelled: row(499, false, 'The work was cancelled.', 'Nothing, unless the cancellation was not intended.'),
  Failed: row(
    500,
    false,
    'The machine ended the turn with fail() and gave no code.',
    'Read the message; give fail() a code of your own to tell cases apart.',
  ),

  // Steps and effects
  StateTooLarge: row(
    507,
    false,
    'The state after the step would be larger than its limit, so the step was undone.',
    'Keep less in the context, or raise the limit in the definition.',
  ),
  StepFailed: row(
    500,
    false,
    'The machine threw while it took the entry, so nothing was changed.',
    'Correct the machine at the cause, then redrive the dead letter.',
  ),
  UnhandledError: row(
    500,
    false,
    'An effect failed and no state handles its error, so the step was undone.',
    'Add onError to the invoke.',
  ),
  EffectFailed: row(500, false, 'An effect threw or rejected.', 'Read the cause; handle it with onError.'),
  EffectOverflow: row(
    429,
    false,
    'A streaming effect produced values faster than they could be journaled.',
    'Produce less, or conflate the values at the source.',
  ),
  EffectTimeout: row(
    504,
    false,
    'An effect did not end within its timeout.',
    'Raise timeoutMs of the effect, or make it faster.',
  ),
  AnonymousLogic: row(
    500,
    false,
    'The machine spawned logic that is not registered, so it could not be found again after a restart.',
    'Register it in setup({ actors }) and refer to it by name.',
  ),
  NotStorable: row(
    422,
    false,
    'A value can not be stored: a function, a symbol, a class instance, a cycle, or nested too deep.',
    'Keep plain data at the path named in the message.',
  ),
  UnknownChild: row(404, false, 'There is no child at this path.', 'Check the id of the child; it may have stopped.'),

  // Journal, versions and replay
  JournalGap: row(
    500,
    false,
    'Entries of the journal are missing or damaged.',
    'Restore the stream from a replica or backup; the range is in the details.',
  ),
  DeterminismViolation: row(
    500,
    false,
    'The same entries folded to another state.',
    'Find the impure code with expectDurable; the details name actor and sequence.',
  ),
  VersionConflict: row(
    409,
    false,
    'The same version of a definition exists with another machine or other policies.',
    'Raise the version of the definition.',
  ),
  MigrationMissing: row(
    500,
    false,
    'A stored state is of an older version and no migration leads to this one.',
    'Add migrate[n] to the definition.',
  ),
  MigrationFailed: row(
    500,
    false,
    'A migration threw or returned something that is not a state.',
    'Correct migrate[n]; the actor is suspended until then.',
  ),
  RecordTooNew: row(
    500,
    false,
    'A journal record is of a newer format than this worker reads.',
    'Upgrade this worker.',
  ),

  // Environment
  NotConnected: row(503, true, 'There is no connection to NATS.', 'Check the URL and that nats-server runs.'),
  Timeout: row(
    504,
    true,
    'No answer came in time, so whether it took effect is unknown.',
    'Retry with the same task id.',
  ),
  ConfigInvalid: row(500, false, 'The configuration is not usable.', 'Correct the field named in the message.'),
  StreamMismatch: row(
    500,
    false,
    'A stream exists with another configuration than needed.',
    'Run troupe doctor, which prints the difference.',
  ),
  ServerTooOld: row(500, false, 'The nats-server is older than 2.12.', 'Upgrade nats-server.'),
  ServerMissing: row(
    500,
    false,
    'No nats-server was found on this machine.',
    'Install it, or set TROUPE_NATS_SERVER to its path.',
  ),
  PermissionDenied: row(
    403,
    false,
    'NATS or the gateway refused the operation.',
    'Use credentials with the role named in the message.',
  ),

  // The gateway's own
  Unauthenticated: row(
    401,
    false,
    'The request carries no token, or one that is not known.',
    'Send Authorization: Bearer with a token of the gateway, or sign in.',
  ),
  ForeignHost: row(
    421,
    false,
    'The Host header names a machine that the gateway does not answer for.',
    'Use an address that the gateway listens on, or allow the name with --allow-host.',
  ),
  ForeignOrigin: row(
    403,
    false,
    'The request comes from a page of another origin.',
    'Open the page that the gateway itself serves, or allow the origin with --allow-host.',
  ),
  MethodNotAllowed: row(
    405,
    false,
    'The path exists, but not with this method.',
    'Use one of the methods in the Allow header.',
  ),
  UnsupportedContentType: row(
    415,
    false,
    'The body is of a content type or encoding that is not read.',
    'Send application/json, application/msgpack or text/plain, not compressed.',
  ),
  TooManyRequests: row(
    429,
    true,
    'Too many requests, connections or event streams of one client at once.',
    'Wait as long as Retry-After says, then go on more slowly.',
  ),
  PageExpired: row(
    410,
    true,
    'The pages of a large answer are kept for a short time, and that is over.',
    'Ask again from the first page.',
  ),
  Closed: row(503, false, 'The client or the worker is closed.', 'Open a new one.'),
  Internal: row(
    500,
    false,
    'Something failed that has no code of its own.',
    'Report it with the output of troupe support-bundle.',
  ),
} as const satisfies Record<string, CodeInfo>;

/** A code of the table. */
export type ErrorCode = keyof typeof CODES;

/** Status of codes outside the table, such as those given to `fail()`. */
export const UNKNOWN_STATUS = 500;

/** True when `code` is in the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CODES, code);
}

/**
 * The row of a code, or undefined for an application code.
 *
 * @example codeInfo('MailboxFull')?.retryable // true
 */
export function codeInfo(code: string): CodeInfo | undefined {
  return isErrorCode(code) ? CODES[code] : undefined;
}

/** The number that goes into `Nats-Service-Error-Code`; 500 for application codes. */
export function statusOf(code: string): number {
  return codeInfo(code)?.status ?? UNKNOWN_STATUS;
}
