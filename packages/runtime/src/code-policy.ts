/**
 * Which code may fold what: an actor changes version only at a journaled version entry, or at a
 * snapshot above which nobody has folded anything: after a hand-over in good order, or where no owner since had its code.
 */
import { type ActorDefinition, type ActorState, decodeStoredState, definitionFor, storedVersion } from '@troupe/core';
import { migrateStoredState } from '@troupe/core/internal';
import { type ActorAddress, decodeState, formatAddress, TroupeError } from '@troupe/wire';
import type { Checkpoint } from './checkpoint.ts';
import type { PinnedCode, StoredSnapshot } from './ports.ts';

/** How far what is stored binds the code. */
export interface CodeSituation {
  /** By type, the code that folded what lies between mark and head. */
  readonly types: Checkpoint['types'];
  /** Nobody folded anything at or above the mark before this claim. */
  readonly clean: boolean;
  readonly dev: boolean;
}

/**
 * The code that folds the first entries of an actor without a snapshot.
 * @param pin code that may have folded what is parked of it.
 * @throws TroupeError `ActorSuspended` when that code isn't here.
 */
export function firstCode(situation: CodeSituation, definition: ActorDefinition, pin?: PinnedCode): ActorDefinition {
  const stamped = pin ?? situation.types[definition.type];
  if (stamped === undefined) return definition;
  const code = definitionFor(definition, stamped.version);
  if (code !== undefined && (code.hash === stamped.hash || situation.dev)) return code;
  throw new TroupeError(
    'ActorSuspended',
    `Entries of '${definition.type}' were folded by version ${stamped.version} (${stamped.hash}), and its worker did not hand over in good order. This worker has version ${definition.version} (${definition.hash}). List the earlier definition under previous.`,
    { details: { needs: stamped, here: { version: definition.version, hash: definition.hash } } },
  );
}

/**
 * The code that may read a stored state.
 * @param pin code that may have folded what is parked of the actor: then only that version goes on.
 * @throws TroupeError `VersionConflict` or `ActorSuspended` when it isn't here.
 */
export function codeFor(
  situation: CodeSituation,
  definition: ActorDefinition,
  version: number,
  hash: string,
  address: ActorAddress,
  pin?: PinnedCode,
): ActorDefinition | 'migrate' {
  const name = formatAddress(address);
  const code = definitionFor(definition, version);
  if (code !== undefined) {
    if (code.hash === hash || situation.dev) return code;
    throw new TroupeError(
      'VersionConflict',
      `${name} was written by another definition of '${definition.type}' with the same version ${version}. Raise the version whenever machine or policies change.`,
      { details: { version, stored: hash, here: code.hash } },
    );
  }
  const details = { version, here: definition.version };
  if (version > definition.version) {
    throw new TroupeError(
      'ActorSuspended',
      `${name} is at version ${version} of '${definition.type}'; this worker has ${definition.version}. Deploy version ${version} or later.`,
      { details },
    );
  }
  if (pin === undefined && isUnfolded(situation, definition.type, version)) return 'migrate';
  throw new TroupeError(
    'ActorSuspended',
    `${name} is at version ${version} of '${definition.type}', and its last worker did not hand over in good order: entries after its snapshot may only be folded by version ${version}. List that definition under previous.`,
    { details },
  );
}

/** The state behind stored data, taken to the newest version where `codeFor` said so. */
export function restoreState(
  definition: ActorDefinition,
  code: ActorDefinition | 'migrate',
  address: ActorAddress,
  data: unknown,
): ActorState {
  return code === 'migrate' ? migrateStoredState(definition, address, data) : decodeStoredState(code, address, data);
}

/** Nobody has folded anything after a state of this version: after a hand-over in good order, or where no owner since had its code. */
export function isUnfolded({ clean, types }: CodeSituation, type: string, version: number): boolean {
  return clean || version < (Object.hasOwn(types, type) ? (types[type]!.oldest ?? 0) : 0);
}

/** The code that folded a stored state. */
export function codeOfSnapshot(stored: StoredSnapshot): PinnedCode {
  const { version, hash } = storedVersion(decodeState(stored.bytes));
  return { version, hash };
}

/**
 * Whether an actor folded by older code can move on.
 * @throws TroupeError `MigrationMissing` naming the step that is missing.
 */
export function assertMigratable(definition: ActorDefinition, from: number, address: ActorAddress): void {
  for (let version = from; version < definition.version; version++) {
    if (definition.migrate[version] !== undefined) continue;
    throw new TroupeError(
      'MigrationMissing',
      `${formatAddress(address)} is at version ${from} of '${definition.type}', and there is no migrate[${version}]. Deploy a definition with migrate: { ${version}: (state) => state }.`,
      { details: { from, to: definition.version, missing: version } },
    );
  }
}
