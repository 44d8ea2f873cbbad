/**
 * Which level applies to whom, now: what a process started with, and what operators changed for a while.
 *
 * Invariants
 * 1. The most particular wins: what was set for the type, the type's own start value, what was set for everything, the
 *    start value of the process.
 * 2. What was set at run time ends by itself, and then the start value holds again: nobody has to remember it.
 */
import { TroupeError } from '@troupe/wire';

/** From chatty to quiet. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How long a level holds that was set at run time, ms, unless something else is said: ten minutes. */
export const LEVEL_FOR_MS = 600_000;
/** Longest, ms: a day. */
export const LEVEL_FOR_MS_MAX = 86_400_000;
/** Types with a level of their own that was set at run time. */
const CHANGES_MAX = 1_000;

/** A level that holds. */
export interface LevelInForce {
  /** Undefined: everything without a level of its own. */
  readonly type?: string;
  readonly level: LogLevel;
  /** When it falls back, Unix ms; undefined: it is the start value. */
  readonly untilMs?: number;
}

/** What `LogLevels.set` takes. */
export interface LevelChange {
  readonly level: LogLevel;
  /** Default: everything without a level of its own. */
  readonly type?: string | undefined;
  /** Default `LEVEL_FOR_MS`, at most `LEVEL_FOR_MS_MAX`, at least 1. */
  readonly forMs?: number | undefined;
}

interface Changed {
  readonly level: LogLevel;
  readonly untilMs: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * The levels of one process.
 *
 * @example
 * const levels = new LogLevels('info', { order: 'warn' });
 * levels.set({ type: 'support', level: 'debug', forMs: 60_000 });
 * levels.allows('debug', 'support') // true, for a minute
 */
export class LogLevels {
  readonly #base: LogLevel;
  readonly #types: ReadonlyMap<string, LogLevel>;
  /** By type; `''`: everything. */
  readonly #changed = new Map<string, Changed>();
  readonly #listeners = new Set<() => void>();

  constructor(base: LogLevel = 'info', types: Readonly<Record<string, LogLevel>> = {}) {
    this.#base = base;
    this.#types = new Map(Object.entries(types));
  }

  /** The level of a type; without one, of what belongs to no actor. Invariant 1. */
  of(type?: string): LogLevel {
    const own = type === undefined ? undefined : (this.#changed.get(type)?.level ?? this.#types.get(type));
    return own ?? this.#changed.get('')?.level ?? this.#base;
  }

  /** Whether a line of this level is written. */
  allows(level: LogLevel, type?: string): boolean {
    return RANK[level] >= RANK[this.of(type)] && level !== 'silent';
  }

  /** Sets a level for a while. Invariant 2. @throws TroupeError `ConfigInvalid` beyond 1,000 types. */
  set({ level, type = '', forMs = LEVEL_FOR_MS }: LevelChange): LevelInForce {
    const before = this.#changed.get(type);
    if (before === undefined && this.#changed.size >= CHANGES_MAX)
      throw new TroupeError(
        'ConfigInvalid',
        `${CHANGES_MAX} types have a level that was set at run time. Let some fall back first: troupe log-level TYPE default.`,
      );
    clearTimeout(before?.timer);
    const lastsMs = Math.min(Math.max(1, forMs), LEVEL_FOR_MS_MAX);
    const untilMs = Date.now() + lastsMs;
    const timer = setTimeout(() => this.reset(type), lastsMs);
    timer.unref();
    this.#changed.set(type, { level, untilMs, timer });
    this.#tell();
    return { ...(type === '' ? {} : { type }), level, untilMs };
  }

  /** Lets a level that was set fall back now; without a type, that of everything. */
  reset(type = ''): void {
    clearTimeout(this.#changed.get(type)?.timer);
    if (this.#changed.delete(type)) this.#tell();
  }

  /** All that holds, that of everything first. */
  list(): LevelInForce[] {
    const types = [...new Set([...this.#types.keys(), ...this.#changed.keys()])].filter((type) => type !== '').sort();
    return [undefined, ...types].map((type) => {
      const untilMs = this.#changed.get(type ?? '')?.untilMs;
      const until = untilMs === undefined ? {} : { untilMs };
      return { ...(type === undefined ? {} : { type }), level: this.of(type), ...until };
    });
  }

  /** Tells whenever a level was set or fell back. @returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** True for one of `LOG_LEVELS`. */
export function isLogLevel(text: unknown): text is LogLevel {
  return (LOG_LEVELS as readonly unknown[]).includes(text);
}
