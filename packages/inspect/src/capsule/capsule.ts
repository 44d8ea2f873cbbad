/**
 * A capsule: everything needed to see a failure of one actor again, as one JSON file. A state to begin with, the entries
 * that came then (the outcomes of effects are entries, so nothing outside is called again), and what went wrong.
 *
 * Invariants
 * 1. What is read is what was written: what JSON can't keep is kept as bytes.
 * 2. Sequences and times are the journal's, also when entries were left out: ids made of them stay true.
 */
import { type ActorDefinition, type ActorState, decodeStoredState, emptyState, storedVersion } from '@troupe/core';
import { migrateStoredState } from '@troupe/core/internal';
import {
  type ActorAddress,
  decodeState,
  decodeValue,
  type EntryBody,
  encodeState,
  encodeValue,
  parseAddress,
  TroupeError,
} from '@troupe/wire';
import type { StepFailure } from './step-failure.ts';

/** Version of the file. */
export const CAPSULE_FORMAT = 'troupe-capsule-1';

/** One entry as written: `body` as JSON, or `bytes` (MessagePack, Base64) where JSON would lose something. */
export interface CapsuleEntry {
  readonly seq: number;
  /** Unix ms. */
  readonly at: number;
  /** Size of the stored entry: mailboxes count it. */
  readonly size: number;
  readonly body?: unknown;
  readonly bytes?: string;
  /** Of an outcome: the effect that it ends, so that it finds its effect in changed code too. */
  readonly effect?: { readonly src: string };
}

/** The file. */
export interface Capsule {
  readonly format: typeof CAPSULE_FORMAT;
  /** `<type>/<key>` */
  readonly actor: string;
  /** The code that failed. */
  readonly definition: { readonly version: number; readonly hash: string; readonly engine: string };
  /** State before the first entry, Base64; absent: the actor's beginning. */
  readonly base?: { readonly seq: number; readonly state: string };
  readonly entries: readonly CapsuleEntry[];
  /** Sequences that workers refused without stepping them, because they ended processes. */
  readonly setAside: readonly number[];
  /** What went wrong; absent: nothing did, and replays have to end in `final`. */
  readonly failure?: StepFailure;
  /** State value and context after the last entry, Base64 of MessagePack. */
  readonly final?: string;
  /** How many values were taken out as secret. */
  readonly redacted: number;
  /** Entries before it was made smaller. */
  readonly shrunkFrom?: number;
}

/** An entry ready to be folded. */
export interface ReplayEntry {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  readonly body: EntryBody;
  readonly src: string | undefined;
  /** As it stands in the file. */
  readonly written: CapsuleEntry;
}

/** A capsule with the code to fold it. */
export interface OpenCapsule {
  readonly capsule: Capsule;
  readonly definition: ActorDefinition;
  readonly address: ActorAddress;
  readonly base: ActorState;
  readonly entries: readonly ReplayEntry[];
  readonly setAside: ReadonlySet<number>;
}

/**
 * Reads a capsule.
 *
 * @param value what JSON.parse made of the file.
 * @throws TroupeError `Usage` when it is no capsule.
 */
export function parseCapsule(value: unknown): Capsule {
  const { format, actor, entries, setAside, definition } = (value ?? {}) as Partial<Capsule>;
  if (format !== CAPSULE_FORMAT)
    throw new TroupeError(
      'Usage',
      `This is no capsule: its format is ${JSON.stringify(format)}, needed is "${CAPSULE_FORMAT}". Make one with troupe repro <type>/<key>.`,
    );
  if (
    typeof actor !== 'string' ||
    !Array.isArray(entries) ||
    !Array.isArray(setAside) ||
    typeof definition?.version !== 'number'
  )
    throw new TroupeError('Usage', 'The capsule is damaged: actor, definition, entries or setAside is missing.');
  parseAddress(actor);
  return value as Capsule;
}

/**
 * Makes a capsule ready to be folded by the code at hand, whatever version it is: that is what a correction is tested with.
 *
 * @throws TroupeError `UnknownActorType` without the definition, `MigrationMissing` when the code can't take the state that
 *   the capsule begins with.
 */
export function openCapsule(capsule: Capsule, actors: readonly ActorDefinition[]): OpenCapsule {
  const address = parseAddress(capsule.actor);
  const definition = actors.find((one) => one.type === address.type);
  if (definition === undefined)
    throw new TroupeError(
      'UnknownActorType',
      `The capsule is of ${capsule.actor}, and there is no definition of '${address.type}' here. Known: ${actors.map((one) => one.type).join(', ') || 'none'}.`,
      { actor: capsule.actor },
    );
  return {
    capsule,
    definition,
    address,
    base: baseOf(capsule, definition, address),
    entries: capsule.entries.map(readEntry),
    setAside: new Set(capsule.setAside),
  };
}

function baseOf({ base }: Capsule, definition: ActorDefinition, address: ActorAddress): ActorState {
  if (base === undefined) return emptyState(address, definition.version, definition.hash);
  const stored = decodeState(fromBase64(base.state));
  return storedVersion(stored).version === definition.version
    ? decodeStoredState(definition, address, stored)
    : migrateStoredState(definition, address, stored);
}

function readEntry(written: CapsuleEntry): ReplayEntry {
  const { seq, at, size, body, bytes, effect } = written;
  const read = (bytes === undefined ? body : decodeValue(fromBase64(bytes))) as EntryBody;
  return { seq, at, size, body: read, src: effect?.src, written };
}

/** An entry as it is written. Invariant 1. */
export function writeEntry(entry: Omit<ReplayEntry, 'written' | 'src'>, src: string | undefined): CapsuleEntry {
  const { seq, at, size, body } = entry;
  const bytes = encodeValue(body);
  const json = attempt(() => JSON.parse(JSON.stringify(body)) as unknown);
  const isKept = json !== undefined && toBase64(encodeValue(json)) === toBase64(bytes);
  return {
    seq,
    at,
    size,
    ...(isKept ? { body: json } : { bytes: toBase64(bytes) }),
    ...(src === undefined ? {} : { effect: { src } }),
  };
}

/** Bytes by which final states are compared. */
export function finalOf(definition: ActorDefinition, state: ActorState): string {
  const view = state.machine === undefined ? undefined : definition.driver.view(state.machine);
  return toBase64(encodeState({ value: view?.value, context: view?.context }));
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
