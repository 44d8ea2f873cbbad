/** Logs: one JSON object a line, for people through `troupe dev` and for machines as they are. */
import { type DestinationStream, destination, pino } from 'pino';
import { isLogLevel, LOG_LEVELS, type LogLevel, LogLevels } from './logs/log-levels.ts';
import { redact, redactText } from './redaction.ts';

/** What the runtime logs to. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** One that adds fields to every line. */
  child(fields: object): Logger;
}

/** What `createLogger` makes: its levels can be changed while it is used, and those of all its children with it. */
export interface LeveledLogger extends Logger {
  /** A line with a field `actor` goes by the level of the actor's type. */
  readonly levels: LogLevels;
  child(fields: object): LeveledLogger;
}

/** How a logger is made. */
export interface LoggerOptions {
  /** Default: `TROUPE_LOG_LEVEL`, else `info`. An unknown level counts as `info` and is said in the first line. */
  readonly level?: string | undefined;
  /** Levels of actor types that differ, `order=debug,support=warn`. Default none. What is none is said in the first lines. */
  readonly types?: string | undefined;
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
export function createLogger(options: LoggerOptions = {}): LeveledLogger {
  const wanted = options.level ?? (options.env ?? process.env).TROUPE_LOG_LEVEL ?? '';
  const level = isLogLevel(wanted) ? wanted : 'info';
  const sink = pino(
    {
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) as Record<string, unknown> },
    },
    options.stream ?? destination({ fd: 2, sync: true }),
  );
  const fields = options.fields ?? {};
  const pairs = (options.types ?? '').split(',').filter((pair) => pair.trim() !== '');
  const types = pairs.map((pair) => pair.split('=').map((part) => part.trim()) as [string, LogLevel]);
  const levels = new LogLevels(level, Object.fromEntries(types.filter(([, one]) => isLogLevel(one))));
  const logger = new PinoLogger(sink.child(redact(fields) as Record<string, unknown>), levels, typeOf(fields));
  if (wanted !== '' && wanted !== level) {
    logger.warn({ level: wanted }, `unknown log level, info is used: choose one of ${LOG_LEVELS.join(', ')}`);
  }
  for (const [type, one] of types)
    if (!isLogLevel(one))
      logger.warn({ type, level: one ?? '' }, `unknown log level, passed over: write type=${LOG_LEVELS.join('|')}`);
  return logger;
}

class PinoLogger implements LeveledLogger {
  readonly levels: LogLevels;
  readonly #sink: ReturnType<typeof pino>;
  /** Actor type of every line, as far as the fields of all lines tell. */
  readonly #type: string | undefined;

  constructor(sink: ReturnType<typeof pino>, levels: LogLevels, type: string | undefined) {
    this.#sink = sink;
    this.levels = levels;
    this.#type = type;
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  child(fields: object): LeveledLogger {
    const sink = this.#sink.child(redact(fields) as Record<string, unknown>);
    return new PinoLogger(sink, this.levels, typeOf(fields) ?? this.#type);
  }

  #write(level: Exclude<LogLevel, 'silent'>, fields: object, message: string): void {
    if (this.levels.allows(level, typeOf(fields) ?? this.#type)) this.#sink[level](fields, redactText(message));
  }
}

function typeOf(fields: object): string | undefined {
  const { actor } = fields as { readonly actor?: unknown };
  if (typeof actor !== 'string') return undefined;
  const end = actor.indexOf('/');
  return end < 0 ? undefined : actor.slice(0, end);
}
