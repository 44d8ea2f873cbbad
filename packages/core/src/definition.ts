/**
 * What an actor type is: a machine, and the policies beside it. `defineActor` resolves options
 * once: loose in, total out, refused early.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ActorAddress } from '@troupe/wire';
import { RESERVED_TYPES, TroupeError, TYPE_PATTERN } from '@troupe/wire';
import type { AnyStateMachine } from './machine/index.ts';
import { createMachineDriver } from './machine/index.ts';
import type { MachineDriver } from './machine/types.ts';
import { NO_RETRY, type RetryPolicy } from './retry.ts';

/** What becomes of an input that can't be taken now. */
export type WaitPolicy = 'defer' | 'reject' | 'drop';

/** A state as `migrate` sees it: plain data, without children's internals being promised. */
export interface StoredState {
  value: unknown;
  context: Record<string, unknown>;
  [field: string]: unknown;
}

export interface EffectOptions {
  /** Ends a call that takes longer, as the error `EffectTimeout`. Default: the turn's deadline. */
  readonly timeoutMs?: number;
  /** `never`: at most once, by a journaled claim; an unclear end is `OutcomeUnknown`. */
  readonly retry?: 'never' | Partial<RetryPolicy>;
  /** Calls of this type of effect at once per worker. Default 64. */
  readonly concurrencyMax?: number;
}

export interface ActorOptions {
  /** `[a-z][a-z0-9-]{0,62}`. */
  readonly type: string;
  /** A whole number from 1, raised whenever machine or policies change. */
  readonly version: number;
  readonly machine: AnyStateMachine;
  /** The machine's input. Default `({ type, key }) => ({ type, key })`. */
  readonly input?: (address: ActorAddress) => unknown;
  readonly task?: {
    readonly input?: StandardSchemaV1;
    readonly output?: StandardSchemaV1;
    /** Default 60,000; between 10 and `deadlineMsMax`. */
    readonly deadlineMs?: number;
    /** Default 7 days. */
    readonly deadlineMsMax?: number;
    /** Default `defer`. */
    readonly policy?: WaitPolicy;
  };
  /** Schemas of events, by type. An event without one is taken as it is. */
  readonly events?: Readonly<Record<string, StandardSchemaV1>>;
  /** Default `drop`, with a recorded reason. */
  readonly signalPolicy?: WaitPolicy;
  readonly mailbox?: {
    /** Inputs waiting at once. Default 1,000. */
    readonly depthMax?: number;
    /** Their bytes together. Default 1 MiB. */
    readonly bytesMax?: number;
  };
  /** By the name under `setup({ actors })`. */
  readonly effects?: Readonly<Record<string, EffectOptions>>;
  readonly snapshot?: {
    /** Entries folded between snapshots, at least. Default 64. */
    readonly everyEntries?: number;
  };
  readonly history?: {
    /** How long entries are kept for time travel, ms. Default 24 h. */
    readonly keepForMs?: number;
  };
  /** An actor idle for so long ends: its state goes, its task ids stay remembered. Default: never. */
  readonly expireAfterMs?: number;
  /** When a turn ends: with `reply()` or when all it opened has ended. Default by the machine. */
  readonly turn?: 'reply' | 'settle';
  /** What a task gets after the machine is done. Default `stop`: `ActorDone`. */
  readonly onDone?: 'stop' | 'restart';
  /** Stored state limit, bytes. Default 768 KiB. */
  readonly stateBytesMax?: number;
  /** `keep`: outcomes and emitted events are stored for 24 h. Default `none`. */
  readonly out?: 'none' | 'keep';
  /** `migrate[n]` takes a stored state of version n to n + 1. */
  readonly migrate?: Readonly<Record<number, (state: StoredState) => StoredState>>;
  /** Old code that may still have to fold a tail. */
  readonly previous?: readonly ActorDefinition[];
}

/** Every field resolved. Made only by `defineActor`. */
export interface ActorDefinition {
  readonly type: string;
  readonly version: number;
  /** Of machine and policies: the same version with another hash is refused. */
  readonly hash: string;
  readonly machine: AnyStateMachine;
  readonly driver: MachineDriver;
  readonly input: (address: ActorAddress) => unknown;
  readonly task: {
    readonly input: StandardSchemaV1 | undefined;
    readonly output: StandardSchemaV1 | undefined;
    readonly deadlineMs: number;
    readonly deadlineMsMax: number;
    readonly policy: WaitPolicy;
  };
  readonly events: Readonly<Record<string, StandardSchemaV1>>;
  readonly signalPolicy: WaitPolicy;
  readonly mailbox: { readonly depthMax: number; readonly bytesMax: number };
  readonly effects: ReadonlyMap<string, ResolvedEffectOptions>;
  readonly snapshot: { readonly everyEntries: number };
  readonly history: { readonly keepForMs: number };
  readonly expireAfterMs: number | undefined;
  readonly turn: 'reply' | 'settle';
  readonly onDone: 'stop' | 'restart';
  readonly stateBytesMax: number;
  readonly out: 'none' | 'keep';
  readonly migrate: Readonly<Record<number, (state: StoredState) => StoredState>>;
  readonly previous: readonly ActorDefinition[];
}

export interface ResolvedEffectOptions {
  readonly timeoutMs: number | undefined;
  readonly once: boolean;
  readonly retry: RetryPolicy;
  readonly concurrencyMax: number;
}

export const DEFAULT_EFFECT: ResolvedEffectOptions = {
  timeoutMs: undefined,
  once: false,
  retry: NO_RETRY,
  concurrencyMax: 64,
};

const DAY_MS = 86_400_000;

/**
 * Resolves a definition.
 *
 * @throws TroupeError `ConfigInvalid` naming the field, what was seen and what is allowed.
 * @example
 * const order = defineActor({ type: 'order', version: 1, machine: orderMachine });
 */
export function defineActor(options: ActorOptions): ActorDefinition {
  if (!TYPE_PATTERN.test(options.type))
    throw refuse(options, 'type', options.type, `a name matching ${TYPE_PATTERN.source}`);
  if ((RESERVED_TYPES as readonly string[]).includes(options.type))
    throw refuse(options, 'type', options.type, 'another name: it is reserved');
  whole(options, 'version', options.version, 1, 1_000_000_000);
  const driver = createMachineDriver(options.machine);
  const deadlineMsMax = whole(
    options,
    'task.deadlineMsMax',
    options.task?.deadlineMsMax ?? 7 * DAY_MS,
    10,
    365 * DAY_MS,
  );
  const resolved: Omit<ActorDefinition, 'hash' | 'driver'> = {
    type: options.type,
    version: options.version,
    machine: options.machine,
    input: options.input ?? (({ type, key }) => ({ type, key })),
    task: {
      input: options.task?.input,
      output: options.task?.output,
      deadlineMs: whole(options, 'task.deadlineMs', options.task?.deadlineMs ?? 60_000, 10, deadlineMsMax),
      deadlineMsMax,
      policy: options.task?.policy ?? 'defer',
    },
    events: options.events ?? {},
    signalPolicy: options.signalPolicy ?? 'drop',
    mailbox: {
      depthMax: whole(options, 'mailbox.depthMax', options.mailbox?.depthMax ?? 1_000, 0, 100_000),
      bytesMax: whole(options, 'mailbox.bytesMax', options.mailbox?.bytesMax ?? 1_048_576, 0, 16 * 1_048_576),
    },
    effects: new Map(
      Object.entries(options.effects ?? {}).map(([src, one]) => [src, resolveEffect(options, src, one)]),
    ),
    snapshot: {
      everyEntries: whole(options, 'snapshot.everyEntries', options.snapshot?.everyEntries ?? 64, 1, 100_000),
    },
    history: {
      keepForMs: whole(options, 'history.keepForMs', options.history?.keepForMs ?? DAY_MS, 0, 3_650 * DAY_MS),
    },
    expireAfterMs:
      options.expireAfterMs === undefined
        ? undefined
        : whole(options, 'expireAfterMs', options.expireAfterMs, 1_000, 3_650 * DAY_MS),
    turn: options.turn ?? (driver.replies ? 'reply' : 'settle'),
    onDone: options.onDone ?? 'stop',
    stateBytesMax: whole(options, 'stateBytesMax', options.stateBytesMax ?? 786_432, 1_024, 8 * 1_048_576),
    out: options.out ?? 'none',
    migrate: options.migrate ?? {},
    previous: options.previous ?? [],
  };
  for (const old of resolved.previous) {
    if (old.type !== options.type || old.version >= options.version) {
      throw refuse(options, 'previous', `${old.type} version ${old.version}`, `older versions of ${options.type}`);
    }
  }
  return { ...resolved, driver, hash: definitionHash(resolved, driver) };
}

/**
 * The code that folds entries of a given version: the definition itself or one of its `previous`.
 * @returns undefined when this worker doesn't have that code.
 */
export function definitionFor(definition: ActorDefinition, version: number): ActorDefinition | undefined {
  if (definition.version === version) return definition;
  return definition.previous.find((one) => one.version === version);
}

/**
 * The same definition under a name that its type had before: actors made under that name go on, at their old addresses, with
 * this code. Their states count as written by it, so the version must not be lower than the last one under the old name.
 *
 * @throws TroupeError `ConfigInvalid` when the name can't be one, or is the definition's own.
 * @example const definitions = [order, aliasOf(order, 'purchase')];
 */
export function aliasOf(definition: ActorDefinition, type: string): ActorDefinition {
  const options = { type: definition.type };
  if (!TYPE_PATTERN.test(type)) throw refuse(options, 'alias', type, `a name matching ${TYPE_PATTERN.source}`);
  if ((RESERVED_TYPES as readonly string[]).includes(type) || type === definition.type)
    throw refuse(options, 'alias', type, 'another name: it is reserved, or the type itself');
  return { ...definition, type, previous: definition.previous.map((one) => ({ ...one, type })) };
}

function resolveEffect(options: ActorOptions, src: string, effect: EffectOptions): ResolvedEffectOptions {
  const at = `effects.${src}`;
  const retry = effect.retry === 'never' || effect.retry === undefined ? {} : effect.retry;
  return {
    timeoutMs:
      effect.timeoutMs === undefined ? undefined : whole(options, `${at}.timeoutMs`, effect.timeoutMs, 1, 365 * DAY_MS),
    once: effect.retry === 'never',
    retry: {
      attemptsMax: whole(options, `${at}.retry.attemptsMax`, retry.attemptsMax ?? 1, 1, 100),
      backoff: retry.backoff ?? 'exponential',
      delayMs: whole(options, `${at}.retry.delayMs`, retry.delayMs ?? 200, 0, DAY_MS),
      delayMsMax: whole(options, `${at}.retry.delayMsMax`, retry.delayMsMax ?? 30_000, 0, DAY_MS),
    },
    concurrencyMax: whole(options, `${at}.concurrencyMax`, effect.concurrencyMax ?? 64, 1, 10_000),
  };
}

function whole(options: ActorOptions, field: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw refuse(options, field, String(value), `a whole number from ${min} to ${max}`);
}

function refuse(options: Pick<ActorOptions, 'type'>, field: string, seen: string, wanted: string): TroupeError {
  return new TroupeError(
    'ConfigInvalid',
    `Definition '${options.type}': ${field} is ${JSON.stringify(seen)}; use ${wanted}.`,
  );
}

/** Policies that change what a fold computes are part of the hash; limits of the owner are not. */
function definitionHash(definition: Omit<ActorDefinition, 'hash' | 'driver'>, driver: MachineDriver): string {
  const { task, mailbox, signalPolicy, turn, onDone, stateBytesMax } = definition;
  const once = [...definition.effects].filter(([, effect]) => effect.once).map(([src]) => src);
  const policies = JSON.stringify([
    task.deadlineMs,
    task.deadlineMsMax,
    task.policy,
    mailbox,
    signalPolicy,
    turn,
    onDone,
    stateBytesMax,
    once,
    definition.expireAfterMs ?? 0,
  ]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < policies.length; i++) hash = Math.imul(hash ^ policies.charCodeAt(i), 0x01000193);
  return `${driver.hash}-${(hash >>> 0).toString(16).padStart(8, '0')}`;
}
