/**
 * The one error family. Everything that Troupe throws at a user is a `TroupeError` with a `code` of `codes.ts` or an
 * application code. The guard goes by a registered symbol, not by `instanceof`, so that it also holds when two copies
 * of the package are installed.
 */
import { codeInfo, type ErrorCode, statusOf } from './codes.ts';

const BRAND = Symbol.for('troupe.error');

/** A code of the table, or an application code; the union keeps completion for the former. */
export type AnyCode = ErrorCode | (string & {});

/** Optional parts of a `TroupeError`. */
export interface TroupeErrorOptions {
  /** Address of the actor concerned, `type/key`. */
  readonly actor?: string | undefined;
  /** Task concerned. */
  readonly taskId?: string | undefined;
  /** Default: what the table says about the code, false for application codes. */
  readonly retryable?: boolean | undefined;
  /** Plain data for programs: limits, paths, known names. */
  readonly details?: unknown;
  /** What led to it. */
  readonly cause?: unknown;
}

/**
 * An error with a code.
 *
 * @example
 * throw new TroupeError('InvalidKey', 'Key "" is empty: a key has 1 to 256 bytes.', { details: { key } });
 */
export class TroupeError extends Error {
  override name = 'TroupeError';
  readonly code: AnyCode;
  readonly actor: string | undefined;
  readonly taskId: string | undefined;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor(code: AnyCode, message: string, options: TroupeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.actor = options.actor;
    this.taskId = options.taskId;
    this.retryable = options.retryable ?? codeInfo(code)?.retryable ?? false;
    this.details = options.details;
  }

  /** Numeric form of the code, as in `Nats-Service-Error-Code`. */
  get status(): number {
    return statusOf(this.code);
  }
}

Object.defineProperty(TroupeError.prototype, BRAND, { value: true });

/**
 * True when `error` is a `TroupeError` of any copy of this package and, if given, has this code.
 *
 * @example
 * try { await john.ask('hi'); } catch (error) { if (isTroupeError(error, 'MailboxFull')) await pause(); else throw error; }
 */
export function isTroupeError(error: unknown, code?: AnyCode): error is TroupeError {
  if (typeof error !== 'object' || error === null) return false;
  if ((error as Record<symbol, unknown>)[BRAND] !== true) return false;
  return code === undefined || (error as TroupeError).code === code;
}
