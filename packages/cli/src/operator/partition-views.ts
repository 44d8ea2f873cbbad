/**
 * The partitions as they are now: who owns them, how far the owner is, and what a takeover would have to read.
 *
 * Sequences are the stream's, shared by all partitions, so what is counted between two of them is an upper bound; 0 is exact.
 */
import type { PartitionStats } from '@troupe/runtime/internal';
import type { OpenPorts } from '@troupe/service-worker';
import { readLeases, readOwned } from './workers.ts';

/**
 * What the owner says; else why nobody does: `silent` has a lease and doesn't answer, `orphaned` has none any more, `moving` is
 * owned on paper and not yet, or no longer, held.
 */
export type PartitionState = PartitionStats['state'] | 'unowned' | 'silent' | 'orphaned' | 'moving';

export interface PartitionView {
  readonly partition: number;
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly state: PartitionState;
  /** Where the next owner begins to read. */
  readonly mark: number;
  /** Sequence of the last entry; 0 when there is none. */
  readonly head: number;
  /** Last entry that the owner took; undefined when nobody says. */
  readonly position: number | undefined;
  /** Entries that the owner has not taken yet, at most; without one, those that the next has to read. */
  readonly lag: number;
  /** Inputs that wait for fresh ownership. */
  readonly held: number | undefined;
  /** Actors in memory. */
  readonly resident: number | undefined;
}

interface OwnerRecord {
  readonly owner: string;
  readonly epoch: number;
}

/** All of them, in order. */
export async function readPartitions(open: OpenPorts): Promise<PartitionView[]> {
  const { records, journal } = open.ports;
  const [leases, owners, checkpoints] = await Promise.all([
    readLeases(open),
    records.list('partition'),
    records.list('checkpoint'),
  ]);
  const answers = await Promise.all(leases.map(async ({ id }) => [id, await readOwned(open, id)] as const));
  const owned = new Map(answers);
  return Promise.all(
    Array.from({ length: journal.partitions }, async (_, partition) => {
      const record = owners.get(`partition.${partition}`)?.value as OwnerRecord | undefined;
      const { mark = 1 } = (checkpoints.get(`checkpoint.${partition}`)?.value ?? {}) as { readonly mark?: number };
      return viewOf(partition, record, mark, await journal.headSeq(partition), owned);
    }),
  );
}

function viewOf(
  partition: number,
  record: OwnerRecord | undefined,
  mark: number,
  head: number,
  owned: ReadonlyMap<string, readonly PartitionStats[] | undefined>,
): PartitionView {
  const { owner = '', epoch = 0 } = record ?? {};
  const stats = owned.get(owner)?.find((one) => one.partition === partition && one.epoch === epoch);
  return {
    partition,
    owner: owner === '' ? undefined : owner,
    epoch,
    state: stats?.state ?? stateWithout(owner, owned),
    mark,
    head,
    position: stats?.position,
    lag: Math.max(0, head - (stats?.position ?? mark - 1)),
    held: stats?.held,
    resident: stats?.resident,
  };
}

function stateWithout(
  owner: string,
  owned: ReadonlyMap<string, readonly PartitionStats[] | undefined>,
): PartitionState {
  if (owner === '') return 'unowned';
  if (!owned.has(owner)) return 'orphaned';
  return owned.get(owner) === undefined ? 'silent' : 'moving';
}
