/** What the client itself has to say, each with what was seen and what to do next. Errors of actors pass through as they are. */
import {
  type ActorAddress,
  type AnyCode,
  formatAddress,
  fromFailureRecord,
  isFailureRecord,
  TroupeError,
} from '@troupe/wire';

/** Whom an error concerns. */
export interface About {
  readonly address?: ActorAddress | undefined;
  readonly taskId?: string | undefined;
}

/** A `TroupeError` about an actor and a task. */
export function clientError(code: AnyCode, message: string, about: About, cause?: unknown): TroupeError {
  const actor = about.address === undefined ? undefined : formatAddress(about.address);
  return new TroupeError(code, message, { actor, taskId: about.taskId, cause });
}

export function closedError(about: About): TroupeError {
  return clientError('Closed', 'The client is closed, nothing was sent: open a new one with connect().', about);
}

export function busyError(about: About, inFlightMax: number, queueMax: number): TroupeError {
  return clientError(
    'Busy',
    `${inFlightMax} requests are under way and ${queueMax} wait behind them, so this one was not sent: await some first, ` +
      'or raise inFlightMax or queueMax of connect().',
    about,
  );
}

export function deniedError(about: About, operation: 'publish' | 'subscription', subject: string): TroupeError {
  const [doing, need] =
    operation === 'publish' ? ['publishing to', 'publish permission'] : ['subscribing to', 'subscribe permission'];
  return clientError(
    'PermissionDenied',
    `NATS refused ${doing} ${subject}: give this user ${need} for it (role client), or set prefix or inboxPrefix to what is allowed.`,
    about,
  );
}

export function cancelledError(about: About, reason: unknown): TroupeError {
  return clientError(
    'Cancelled',
    'The caller stopped waiting (AbortSignal); the actor goes on with what was sent to it.',
    about,
    reason,
  );
}

export function tooLargeError(about: About, bytes: number, bytesMax: number): TroupeError {
  const actor = about.address === undefined ? undefined : formatAddress(about.address);
  return new TroupeError(
    'PayloadTooLarge',
    `The message has ${bytes} bytes with its headers, the server takes ${bytesMax} (max_payload): send less, or store the ` +
      'data elsewhere and send a reference.',
    { actor, taskId: about.taskId, details: { bytes, bytesMax } },
  );
}

/** What a service answered in place of a value: the record in its body, or what its headers say. */
export function serviceError(body: unknown, status: string, text: string | undefined, about: About): TroupeError {
  if (isFailureRecord(body)) return fromFailureRecord(body);
  const record = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const actor = about.address === undefined ? undefined : formatAddress(about.address);
  return new TroupeError(
    typeof record.code === 'string' ? record.code : 'Internal',
    typeof record.message === 'string' ? record.message : (text ?? `The service failed with status ${status}.`),
    {
      actor: typeof record.actor === 'string' ? record.actor : actor,
      taskId: typeof record.taskId === 'string' ? record.taskId : about.taskId,
      details: record.details ?? { status },
    },
  );
}
