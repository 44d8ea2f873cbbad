/** From one version of a definition to a later one, one `migrate` function per version. */
import { formatAddress, TroupeError } from '@troupe/wire';
import { type ActorDefinition, definitionFor, type StoredState } from './definition.ts';
import type { ActorState } from './state.ts';
import { decodeStoredState, type StoredActorState, storedVersion } from './stored-state.ts';

/**
 * Takes a state to the version of `target`, chaining `migrate[n]` of the newest definition.
 * Timers and open effects stay; the machine must know the children they belong to.
 *
 * @throws TroupeError `MigrationMissing` naming the step that is missing, `MigrationFailed` when a
 *   migration throws or its result can't be restored.
 * @example migrateState(orderV3, stateOfV1, orderV3)
 */
export function migrateState(newest: ActorDefinition, state: ActorState, target: ActorDefinition): ActorState {
  const from = definitionFor(newest, state.version);
  if (state.machine === undefined) return { ...state, version: target.version, hash: target.hash };
  if (from === undefined)
    throw new TroupeError(
      'ActorSuspended',
      `${formatAddress(state.address)} is at version ${state.version} of '${newest.type}', whose code isn't here. List it under previous.`,
    );
  const stored = migrateStored(newest, from.driver.persist(state.machine), state, target);
  return {
    ...state,
    version: target.version,
    hash: target.hash,
    machine: restoreMigrated(target, stored, state),
    turn: state.turn && { ...state.turn, start: undefined },
  };
}

/**
 * The same for a machine state as stored, when only the new code is at hand.
 * @throws as `migrateState`.
 */
export function migrateStored(
  newest: ActorDefinition,
  machine: unknown,
  at: Pick<ActorState, 'address' | 'version'>,
  target: ActorDefinition,
): unknown {
  let current = machine;
  for (let version = at.version; version < target.version; version++) {
    const migrate = newest.migrate[version];
    if (migrate === undefined) {
      throw new TroupeError(
        'MigrationMissing',
        `${formatAddress(at.address)} is at version ${version} of '${newest.type}', and there is no migrate[${version}]. Deploy a definition with migrate: { ${version}: (state) => state }.`,
        {
          details: { from: at.version, to: target.version, missing: version },
        },
      );
    }
    current = runMigration(migrate, current, version, at);
  }
  return current;
}

function runMigration(
  migrate: (state: StoredState) => StoredState,
  stored: unknown,
  version: number,
  at: Pick<ActorState, 'address'>,
): unknown {
  try {
    const migrated: unknown = migrate(structuredCopy(stored) as StoredState);
    if (typeof migrated !== 'object' || migrated === null) throw new TypeError(`it returned ${typeof migrated}`);
    return migrated;
  } catch (error) {
    throw new TroupeError(
      'MigrationFailed',
      `migrate[${version}] failed for ${formatAddress(at.address)}: ${error instanceof Error ? error.message : String(error)}. The state is unchanged; deploy a corrected migration.`,
      { cause: error },
    );
  }
}

function restoreMigrated(target: ActorDefinition, stored: unknown, state: ActorState): ActorState['machine'] {
  try {
    return target.driver.restore(stored);
  } catch (error) {
    throw new TroupeError(
      'MigrationFailed',
      `The migrated state of ${formatAddress(state.address)} does not fit version ${target.version} of '${target.type}': ${error instanceof Error ? error.message : String(error)}. The state is unchanged; deploy a corrected migration.`,
      { cause: error },
    );
  }
}

/** Plain containers are copied, so that a migration that changes its argument can't touch the original. */
function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structuredCopy(item)]));
}

/**
 * A whole stored state, taken to the newest version when its own code is not at hand.
 * @throws as `migrateState`.
 */
export function migrateStoredState(newest: ActorDefinition, address: ActorState['address'], data: unknown): ActorState {
  const { version } = storedVersion(data);
  const at = { address, version };
  const stored = data as StoredActorState;
  const machine = stored.machine === undefined ? undefined : migrateStored(newest, stored.machine, at, newest);
  try {
    const turn = stored.turn && { ...stored.turn, start: undefined };
    return decodeStoredState(newest, address, { ...stored, machine, turn, version: newest.version, hash: newest.hash });
  } catch (error) {
    throw new TroupeError(
      'MigrationFailed',
      `The migrated state of ${formatAddress(address)} does not fit version ${newest.version} of '${newest.type}': ${error instanceof Error ? error.message : String(error)}. The state is unchanged; deploy a corrected migration.`,
      { cause: error },
    );
  }
}
