/** What a worker tells of the actors that it has in memory, for lists that are looked at: only what changed, page by page. */
import { formatAddress } from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import type { PartitionOwner } from './partition-owner.ts';

/** Rows on a page: about 100 KiB. */
export const CELLS_PAGE_MAX = 500;

/** One actor in memory. */
export interface CellRow {
  /** `<type>/<key>` */
  readonly actor: string;
  /** As XState says, or `suspended`. */
  readonly status: string;
  readonly value?: unknown;
  /** Of its last entry. */
  readonly seq: number;
  /** Its time: that of its last entry, Unix ms. */
  readonly at: number;
  /** Since when its turn is open, Unix ms. */
  readonly turnSince?: number;
  /** Inputs that wait. */
  readonly waiting: number;
  /** Effects that are open. */
  readonly running: number;
  readonly turns: number;
  /** Failed turns since it was loaded. */
  readonly failures: number;
}

/** A page of rows, in order of `seq`. */
export interface CellPage {
  readonly worker: string;
  readonly rows: readonly CellRow[];
  /** True when there are more behind the last one. */
  readonly more: boolean;
}

interface Cells {
  readonly workerId: string;
  readonly ports: { readonly journal: { readonly partitions: number } };
  owner(partition: number): PartitionOwner | undefined;
}

/** Actors whose last entry is behind `afterSeq`; with 0 those too that are suspended before their first. */
export function listCells(host: Cells, afterSeq: number): CellPage {
  const changed: ActorCell[] = [];
  for (let partition = 0; partition < host.ports.journal.partitions; partition++) {
    for (const cell of host.owner(partition)?.cells.values() ?? []) {
      const first = cell.suspended !== undefined && afterSeq === 0;
      if (first || (cell.state !== undefined && cell.state.seq > afterSeq)) changed.push(cell);
    }
  }
  changed.sort((a, b) => (a.state?.seq ?? 0) - (b.state?.seq ?? 0));
  const more = changed.length > CELLS_PAGE_MAX;
  return { worker: host.workerId, rows: changed.slice(0, CELLS_PAGE_MAX).map(rowOf), more };
}

function rowOf(cell: ActorCell): CellRow {
  const { state, suspended } = cell;
  const view = state?.machine === undefined ? undefined : cell.definition.driver.view(state.machine);
  return {
    actor: formatAddress(cell.address),
    status: suspended === undefined ? (view?.status ?? 'active') : 'suspended',
    value: view?.value,
    seq: state?.seq ?? 0,
    at: state?.now ?? 0,
    ...(state?.turn === undefined ? {} : { turnSince: state.turn.openedAt }),
    waiting: state?.stash.length ?? 0,
    running: state?.effects.size ?? 0,
    turns: state?.turns ?? 0,
    failures: cell.failures,
  };
}
