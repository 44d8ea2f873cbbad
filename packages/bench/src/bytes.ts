/**
 * What is written to the streams. Snapshots and checkpoints replace older ones, so what is kept says too little: writes
 * are counted by stream sequence, each at the mean size of those that are kept.
 */
import type { NatsConfig } from '@troupe/nats';
import { connectRaw } from './raw-nats.ts';

interface Written {
  readonly writes: number;
  readonly meanBytes: number;
}

/** Writes so far, by stream. */
export interface StreamWrites {
  readonly journals: readonly Written[];
  readonly others: readonly Written[];
}

export async function readStreams(url: string, config: NatsConfig): Promise<StreamWrites> {
  const nc = await connectRaw(url, 'bench-bytes');
  try {
    const manager = await nc.jetstreamManager();
    const read = async (name: string): Promise<Written> => {
      const { state } = await manager.streams.info(name);
      return { writes: state.last_seq, meanBytes: state.messages === 0 ? 0 : state.bytes / state.messages };
    };
    const { snapshots, records, ticks } = config.streams;
    return {
      journals: await Promise.all(config.journals.map(({ name }) => read(name))),
      others: await Promise.all([snapshots, records, ticks].map(read)),
    };
  } finally {
    await nc.close();
  }
}

/** Per turn, between two readings in which every journal entry was a turn. */
export function bytesBetween(
  before: StreamWrites,
  after: StreamWrites,
): { readonly perTurn: number; readonly ownPerTurn: number } {
  const turns = count(before.journals, after.journals);
  const own = bytes(before.journals, after.journals);
  return { perTurn: (own + bytes(before.others, after.others)) / turns, ownPerTurn: own / turns };
}

function count(before: readonly Written[], after: readonly Written[]): number {
  return after.reduce((sum, { writes }, i) => sum + writes - before[i]!.writes, 0);
}

function bytes(before: readonly Written[], after: readonly Written[]): number {
  return after.reduce((sum, { writes, meanBytes }, i) => sum + (writes - before[i]!.writes) * meanBytes, 0);
}
