/** Errors as HTTP says them. */
import { isTroupeError, statusOf, TroupeError } from '@troupe/wire';

/** An error of the gateway's own with headers that belong to it, such as `Retry-After`. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly error: TroupeError;
  readonly headers: Readonly<Record<string, string>>;
  /** True: what the client still sends is not read, and the connection ends. */
  readonly closes: boolean;

  constructor(error: TroupeError, headers: Readonly<Record<string, string>> = {}, closes = false) {
    super(error.message);
    this.error = error;
    this.headers = headers;
    this.closes = closes;
  }
}

/** What is told of an error: `{ code, message, actor?, taskId?, retryable, details? }`, and the status by its code. */
export function errorBody(thrown: unknown): { readonly status: number; readonly body: Record<string, unknown> } {
  const error = thrown instanceof HttpError ? thrown.error : thrown;
  if (!isTroupeError(error)) {
    // What failed inside may name files and addresses: it is logged, not told.
    const body = { code: 'Internal', message: 'The gateway failed; its log says why.', retryable: false };
    return { status: 500, body };
  }
  const { code, message, actor, taskId, retryable, details } = error;
  return {
    status: statusOf(code),
    body: {
      code,
      message,
      ...(actor === undefined ? {} : { actor }),
      ...(taskId === undefined ? {} : { taskId }),
      retryable,
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** The same error, naming the task it is about: an outcome's own record doesn't. */
export function aboutTask(error: unknown, taskId: string): unknown {
  if (!isTroupeError(error) || error.taskId !== undefined) return error;
  const { code, message, actor, retryable, details } = error;
  return new TroupeError(code, message, { actor, taskId, retryable, details, cause: error });
}

export function tooMany(what: string, waitMs: number): HttpError {
  return new HttpError(
    new TroupeError('TooManyRequests', `${what}. Wait ${waitMs} ms, then go on more slowly.`, {
      retryable: true,
      details: { waitMs },
    }),
    { 'Retry-After': `${Math.max(1, Math.ceil(waitMs / 1_000))}` },
  );
}
