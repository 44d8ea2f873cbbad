/** `defineConfig`: checks a project's config where it is written, so that a slip is an error with a name. */
import { type ActorDefinition, aliasOf } from '@troupe/core';
import { TroupeError, TYPE_PATTERN } from '@troupe/wire';
import type { LogLevel, TroupeConfig, TroupeConfigOptions } from './config.ts';
import { nearest } from './nearest.ts';

/** Every field, with the fields below it where they are known. */
const FIELDS: Record<keyof TroupeConfigOptions, readonly string[] | undefined> = {
  actors: undefined,
  retired: undefined,
  renamed: undefined,
  prefix: undefined,
  partitions: undefined,
  nats: ['url', 'user', 'pass', 'passFile', 'token', 'creds', 'ca', 'inboxPrefix'],
  streams: ['replicas', 'storage', 'journals', 'journalStreams', 'journal', 'snapshots', 'deadLetters', 'outs'],
  worker: undefined,
  process: ['count', 'stuckMs', 'healthHost', 'healthPort'],
  logLevel: undefined,
  logLevels: undefined,
  traces: ['endpoint', 'protocol', 'service', 'sampler', 'ratio'],
  doctor: [
    'usageMaxPercent',
    'clockMaxMs',
    'lagMax',
    'turnMaxMs',
    'responseMaxMs',
    'errorsMaxPercent',
    'deadMax',
    'parkedMax',
    'memoryMaxMib',
    'delayMaxMs',
    'sample',
  ],
  dev: ['natsPort', 'dataDir', 'watch'],
};

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const PARTITIONS_MAX = 1_024;

/**
 * The default export of `troupe.config.ts`.
 *
 * @throws TroupeError `ConfigInvalid` naming the field, what was seen and what to write.
 * @example
 * export default defineConfig({ actors: [support, order], prefix: 'shop' });
 */
export function defineConfig(options: TroupeConfigOptions): TroupeConfig {
  if (typeof options !== 'object' || options === null)
    throw refuse('actors', undefined, 'a list of what defineAgent made');
  checkFields('', options, Object.keys(FIELDS));
  for (const [field, below] of Object.entries(FIELDS)) {
    if (below !== undefined) checkFields(`${field}.`, options[field as keyof TroupeConfigOptions], below);
  }
  checkActors(options.actors);
  const actors = [...options.actors, ...aliases(options)];
  checkRetired(options.retired ?? [], actors);
  const { partitions, logLevel, logLevels, doctor = {}, dev } = options;
  if (partitions !== undefined) checkWhole('partitions', partitions, PARTITIONS_MAX);
  for (const [field, limit] of Object.entries(doctor))
    checkWhole(`doctor.${field}`, limit, field.endsWith('Percent') ? 100 : Number.MAX_SAFE_INTEGER, 0);
  if (dev?.natsPort !== undefined) checkWhole('dev.natsPort', dev.natsPort, 65_535);
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel))
    throw refuse('logLevel', logLevel, LOG_LEVELS.join(', '));
  if (logLevels !== undefined) {
    checkFields(
      'logLevels.',
      logLevels,
      actors.map(({ type }) => type),
    );
    for (const [type, level] of Object.entries(logLevels))
      if (!LOG_LEVELS.includes(level)) throw refuse(`logLevels.${type}`, level, LOG_LEVELS.join(', '));
  }
  return Object.freeze({ ...options, actors, kind: 'troupe-config' as const });
}

/** True for what `defineConfig` made, also by another copy of this package. */
export function isTroupeConfig(value: unknown): value is TroupeConfig {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'troupe-config';
}

function checkActors(actors: TroupeConfigOptions['actors']): void {
  if (!Array.isArray(actors)) throw refuse('actors', actors, 'a list of what defineAgent made');
  const seen = new Set<string>();
  actors.forEach((actor: Partial<TroupeConfigOptions['actors'][number]> | undefined, at) => {
    if (typeof actor?.type !== 'string' || actor.driver === undefined) {
      throw refuse(`actors[${at}]`, actor, 'what defineAgent made (a machine alone has no version)');
    }
    if (seen.has(actor.type)) throw refuse(`actors[${at}].type`, actor.type, 'another name: the type is there already');
    seen.add(actor.type);
  });
}

/** A definition for each old name. */
function aliases({ actors, renamed = {} }: TroupeConfigOptions): ActorDefinition[] {
  if (typeof renamed !== 'object' || renamed === null || Array.isArray(renamed))
    throw refuse('renamed', renamed, "an object: { '<the old name>': '<the type now>' }");
  return Object.entries(renamed).map(([old, type]) => {
    const definition = actors.find((one) => one.type === type);
    if (definition === undefined)
      throw refuse(`renamed.${old}`, type, `one of the types there are: ${actors.map((one) => one.type).join(', ')}`);
    if (actors.some((one) => one.type === old))
      throw refuse('renamed', old, 'only names that no definition has: an actor of that type is there as well');
    return aliasOf(definition, old);
  });
}

function checkRetired(retired: readonly string[], actors: readonly ActorDefinition[]): void {
  if (!Array.isArray(retired)) throw refuse('retired', retired, 'a list of types');
  for (const [at, type] of retired.entries()) {
    if (typeof type !== 'string' || !TYPE_PATTERN.test(type))
      throw refuse(`retired[${at}]`, type, 'the name of a type');
    if (actors.some((one) => one.type === type))
      throw refuse(`retired[${at}]`, type, 'only types without a definition: one is there, or an alias of one');
  }
}

function checkFields(at: string, value: unknown, known: readonly string[]): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null) throw refuse(at.slice(0, -1) || 'the config', value, 'an object');
  const wrong = Object.keys(value).find((field) => field !== 'kind' && !known.includes(field));
  if (wrong === undefined) return;
  const guess = nearest(wrong, known);
  throw new TroupeError(
    'ConfigInvalid',
    `The config has no field '${at}${wrong}'. ${guess === undefined ? `It has: ${known.join(', ')}.` : `Did you mean '${at}${guess}'?`}`,
    { details: { field: `${at}${wrong}`, known } },
  );
}

function checkWhole(field: string, value: unknown, max: number, min = 1): void {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    throw refuse(field, value, `a whole number from ${min} to ${max}`);
  }
}

function refuse(field: string, seen: unknown, wanted: string): TroupeError {
  const shown = typeof seen === 'object' && seen !== null ? 'an object' : JSON.stringify(seen);
  return new TroupeError('ConfigInvalid', `The config's ${field} is ${shown}; use ${wanted}.`, { details: { field } });
}
