/** What the records and the workers themselves say about workers and partitions. */
import type { BusMessage, Ports } from '@troupe/runtime';
import type { Subjects } from '@troupe/wire';

/** A worker whose lease runs. */
export interface WorkerView {
  readonly id: string;
  /** False: it did not answer in time. */
  readonly answers: boolean;
  readonly startedAt: number;
  readonly types: Readonly<Record<string, number>>;
  /** As it told; absent when it did not answer. */
  readonly stats?: Readonly<Record<string, unknown>>;
}

/** A partition, as stored and as its owner tells. */
export interface PartitionView {
  readonly partition: number;
  readonly owner?: string;
  readonly ownerAlive: boolean;
  readonly epoch: number;
  /** Sequence of its last stored entry; 0 without any. */
  readonly head: number;
  /** Where its next owner would begin to read. */
  readonly mark: number;
  readonly [told: string]: unknown;
}

export type ClusterSource = { readonly ports: Ports; readonly subjects: Subjects };

interface Lease {
  readonly id: string;
  readonly startedAt: number;
  readonly types: Readonly<Record<string, number>>;
}

/** Workers asked at once, and heads read at once. */
const CONCURRENT_MAX = 16;
/** How long one may take to answer, ms. */
const ANSWER_MS = 1_500;
const EMPTY = new Uint8Array(0);
const decoder = new TextDecoder();

export async function readLeases({ ports }: ClusterSource): Promise<Lease[]> {
  const records = await ports.records.list('worker');
  return [...records.values()].map(({ value }) => value as Lease).sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function readWorkers(source: ClusterSource): Promise<WorkerView[]> {
  return mapBounded(await readLeases(source), async ({ id, startedAt, types }) => {
    const stats = await askWorker<Record<string, unknown>>(source, 'stats', id);
    const head = { id, startedAt, types, answers: stats !== undefined };
    return stats === undefined ? head : { ...head, stats };
  });
}

export async function readPartitions(source: ClusterSource): Promise<PartitionView[]> {
  const { records, journal } = source.ports;
  const [leases, owners, checkpoints] = await Promise.all([
    readLeases(source),
    records.list('partition'),
    records.list('checkpoint'),
  ]);
  const told = new Map<number, object>();
  await mapBounded(leases, async ({ id }) => {
    for (const one of (await askWorker<{ partition: number }[]>(source, 'partitions', id)) ?? [])
      told.set(one.partition, one);
  });
  const alive = new Set(leases.map(({ id }) => id));
  const all = Array.from({ length: journal.partitions }, (_, partition) => partition);
  return mapBounded(all, async (partition) => {
    const { owner, epoch = 0 } = (owners.get(`partition.${partition}`)?.value ?? {}) as {
      owner?: string;
      epoch?: number;
    };
    const { mark = 1 } = (checkpoints.get(`checkpoint.${partition}`)?.value ?? {}) as { mark?: number };
    return {
      partition,
      epoch,
      mark,
      ...told.get(partition),
      ...(owner === undefined || owner === '' ? {} : { owner }),
      ownerAlive: owner !== undefined && alive.has(owner),
      head: await journal.headSeq(partition),
    };
  });
}

async function askWorker<T>({ ports, subjects }: ClusterSource, verb: string, id: string): Promise<T | undefined> {
  try {
    const answer: BusMessage = await ports.bus.request(subjects.control(verb, id), EMPTY, { timeoutMs: ANSWER_MS });
    return JSON.parse(decoder.decode(answer.payload)) as T;
  } catch {
    // A worker that has gone, or is frozen: that it doesn't answer is the answer.
    return undefined;
  }
}

/** As `Promise.all` over `map`, with at most `CONCURRENT_MAX` under way. */
async function mapBounded<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await call(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_MAX, items.length) }, lane));
  return results;
}
