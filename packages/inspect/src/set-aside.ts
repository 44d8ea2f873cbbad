/**
 * Entries that were set aside, because the process of a worker ended inside their step again and again: no fold may step
 * them, least of all one of somebody who only looks. The partition's checkpoint lists them.
 */
import { TroupeError } from '@troupe/wire';
import type { HistoryPorts } from './history-ports.ts';

/** Sequences that are refused and not stepped. */
export async function readSetAside(ports: HistoryPorts, partition: number): Promise<ReadonlySet<number>> {
  const record = await ports.records?.get(`checkpoint.${partition}`);
  const list = (record?.value as { readonly quarantine?: readonly { readonly seq: number }[] } | undefined)?.quarantine;
  return new Set((list ?? []).map(({ seq }) => seq));
}

/** What stands in the place of its step. */
export function setAside(seq: number): TroupeError {
  return new TroupeError(
    'Quarantined',
    `Entry ${seq} was set aside: the process of a worker ended inside its step again and again. Correct the machine, then redrive the dead letter.`,
    { details: { seq } },
  );
}
