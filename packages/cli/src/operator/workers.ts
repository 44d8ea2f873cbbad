/** The workers as they are now: whose lease runs, who answers, and what each says of itself. */
import type { WorkerStats } from '@troupe/runtime';
import type { PartitionStats } from '@troupe/runtime/internal';
import type { OpenPorts } from '@troupe/service-worker';
import type { ProcessAbout } from '@troupe/service-worker/internal';

/** A worker's lease, as stored. */
export interface Lease {
  readonly id: string;
  /** Unix ms. */
  readonly startedAt: number;
  /** Versions by type. */
  readonly types: Readonly<Record<string, number>>;
}

/** A lease with what its worker answered; without, when it didn't. */
export interface WorkerView {
  readonly lease: Lease;
  readonly stats: (Omit<WorkerStats, 'about'> & { readonly about?: Partial<ProcessAbout> }) | undefined;
}

/** How long a worker may take to answer before it counts as silent, ms. */
const ANSWER_MS = 1_500;
const EMPTY = new Uint8Array(0);

export async function readLeases(open: OpenPorts): Promise<Lease[]> {
  const records = await open.ports.records.list('worker');
  const leases = [...records.values()].map(({ value }) => value as Lease);
  return leases.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

/** Every worker with a lease, oldest first. */
export async function readWorkers(open: OpenPorts): Promise<WorkerView[]> {
  const leases = await readLeases(open);
  return Promise.all(leases.map(async (lease) => ({ lease, stats: await askWorker(open, 'stats', lease.id) })));
}

/** Where the partitions of a worker stand; undefined when it doesn't answer. */
export function readOwned(open: OpenPorts, worker: string): Promise<readonly PartitionStats[] | undefined> {
  return askWorker(open, 'partitions', worker);
}

/** What a worker's clock says, Unix ms; undefined when it doesn't answer, or is too old to tell. */
export async function readClock(open: OpenPorts, worker: string): Promise<number | undefined> {
  const stats = await askWorker<{ readonly about?: { readonly at?: number } }>(open, 'stats', worker);
  return stats?.about?.at;
}

/** Tells a worker to drain. @returns whether it answered. */
export async function requestDrain(open: OpenPorts, worker: string): Promise<boolean> {
  return (await askWorker(open, 'drain', worker)) !== undefined;
}

async function askWorker<T>(open: OpenPorts, verb: string, worker: string): Promise<T | undefined> {
  const subject = open.config.subjects.control(verb, worker);
  try {
    const answer = await open.ports.bus.request(subject, EMPTY, { timeoutMs: ANSWER_MS });
    return JSON.parse(new TextDecoder().decode(answer.payload)) as T;
  } catch (error) {
    const { kind } = error as { readonly kind?: string };
    if (kind === 'no-responders' || kind === 'timeout') return undefined;
    throw error;
  }
}
