/**
 * What of the journal can go, and letting it go: the owners' own purge (`checkpoint-keeper.ts` of the runtime), for partitions
 * that nobody owns now, and for shorter ages than policies say where an operator decides so.
 *
 * Invariants
 * 1. R4: only below the mark of a stored checkpoint, read from the leader: everything there is in a stored snapshot, or parked.
 * 2. R4: nothing younger than `AGE_MS_MIN` or a lease's life, by the server's clock, whoever asks.
 * 3. A partition without a checkpoint, or with one of another format, is left alone.
 */
import type { Ports } from '@troupe/runtime';
import { sizes } from '@troupe/runtime/internal';

/** As the owners: far longer than any reader may lag behind and still act. */
export const AGE_MS_MIN = sizes.purgeAgeMsMin;

/** What a partition could give. */
export interface PartitionGarbage {
  readonly partition: number;
  /** Its first entry. */
  readonly firstSeq: number;
  /** Entries below this can go. */
  readonly beforeSeq: number;
  /** Below this entries are covered, whatever their age. */
  readonly mark: number;
}

type GcPorts = Pick<Ports, 'journal' | 'records'>;

/** Partitions that have something to give. Reads only. @param keepMs entries younger than this stay. */
export async function findGarbage({ journal, records }: GcPorts, keepMs: number): Promise<PartitionGarbage[]> {
  const { at } = await journal.info();
  const oldest = at - Math.max(keepMs, AGE_MS_MIN);
  const found: PartitionGarbage[] = [];
  for (let partition = 0; partition < journal.partitions; partition++) {
    const stored = (await records.get(`checkpoint.${partition}`))?.value as
      | { readonly format?: number; readonly mark?: number }
      | undefined;
    if (stored?.format !== 1 || typeof stored.mark !== 'number') continue;
    const firstSeq = await journal.firstSeqSince(partition, 0);
    const beforeSeq = Math.min(stored.mark, await journal.firstSeqSince(partition, oldest));
    if (firstSeq < beforeSeq) found.push({ partition, firstSeq, beforeSeq, mark: stored.mark });
  }
  return found;
}

/** Removes it. @returns how many entries went. */
export async function removeGarbage(
  { journal }: GcPorts,
  garbage: readonly PartitionGarbage[],
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (const { partition, beforeSeq } of garbage) {
    // One purge takes a bounded time, and leaves the rest to the next.
    for (let went = -1; went !== 0 && !signal.aborted; removed += went)
      went = await journal.purge(partition, beforeSeq);
  }
  return removed;
}

/** Types whose policy isn't known here: of code that folded what is kept, or that workers host. */
export async function unknownTypes({ records }: GcPorts, known: ReadonlySet<string>): Promise<string[]> {
  const [checkpoints, leases] = await Promise.all([records.list('checkpoint'), records.list('worker')]);
  const types = [...checkpoints.values(), ...leases.values()].flatMap(({ value }) =>
    Object.keys((value as { readonly types?: object }).types ?? {}),
  );
  return [...new Set(types)].filter((type) => !known.has(type)).sort();
}
