/** Logs: one JSON object a line, for people through `troupe dev` and for machines as they are. */
import { type DestinationStream, destination, pino } from 'pino';
import { redact, redactText } from './redaction.ts';

/** From chatty to quiet. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the runtime logs to. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** One that adds fields to every line. */
  child(fields: object): Logger;
}

/** How a logger is made. */
export interface LoggerOptions {
  /** Default: `TROUPE_LOG_LEVEL`, else `info`. An unknown level counts as `info` and is said in the first line. */
  readonly level?: string | undefined;
  /** Stand in every line, for example `{ component: 'worker' }`. */
  readonly fields?: object;
  /** Where lines go. Default: stderr, so that stdout stays for data. */
  readonly stream?: DestinationStream;
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes a logger. Lines look like
 * `{"level":"info","time":"2026-01-31T12:00:00.000Z","component":"worker","actor":"support/john","msg":"turn ended"}`.
 * Secrets are taken out by field name and out of URLs, see `redaction.ts`.
 *
 * @example
 * const log = createLogger({ fields: { component: 'worker', worker: id } });
 * log.warn({ actor: 'support/john', seq: 17 }, 'a late reply was dropped');
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const wanted = options.level ?? (options.env ?? process.env).TROUPE_LOG_LEVEL ?? '';
  const level = isLogLevel(wanted) ? wanted : 'info';
  const sink = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) as Record<string, unknown> },
    },
    options.stream ?? destination({ fd: 2, sync: true }),
  );
  const logger = new PinoLogger(sink.child((redact(options.fields ?? {}) ?? {}) as Record<string, unknown>));
  if (wanted !== '' && wanted !== level) {
    logger.warn({ level: wanted }, `unknown log level, info is used: choose one of ${LOG_LEVELS.join(', ')}`);
  }
  return logger;
}

/** True for one of `LOG_LEVELS`. */
export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

class PinoLogger implements Logger {
  readonly #sink: ReturnType<typeof pino>;

  constructor(sink: ReturnType<typeof pino>) {
    this.#sink = sink;
  }

  debug(fields: object, message: string): void {
    this.#sink.debug(fields, redactText(message));
  }

  info(fields: object, message: string): void {
    this.#sink.info(fields, redactText(message));
  }

  warn(fields: object, message: string): void {
    this.#sink.warn(fields, redactText(message));
  }

  error(fields: object, message: string): void {
    this.#sink.error(fields, redactText(message));
  }

  child(fields: object): Logger {
    return new PinoLogger(this.#sink.child(redact(fields) as Record<string, unknown>));
  }
}
