/** Watching Troupe from outside. So far: logs. */
export { createLogger, isLogLevel, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { REDACTED, redact, redactText } from './redaction.ts';
