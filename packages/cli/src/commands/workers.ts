import type { Command } from '../command.ts';
import { readPartitions } from '../operator/partition-views.ts';
import { readWorkers, type WorkerView } from '../operator/workers.ts';
import { showBytes, showLength, table } from '../output/format.ts';

export const workers: Command = {
  name: 'workers',
  summary: 'List the workers: processes, versions, partitions, lag, memory, event-loop delay.',
  description:
    'One line per worker whose lease runs. A silent one has a lease and does not answer: it is frozen, cut off, or was killed a moment ago. LAG counts entries not yet taken, at most; DELAY is how late timers were in the last ten seconds, median and 99th percentile.',
  args: [],
  options: {},
  reach: 'operator',
  examples: [
    { line: 'troupe workers', meaning: 'Who is alive, and how well.' },
    { line: 'troupe workers --json | jq -r \'select(.state == "silent") | .id\'', meaning: 'One JSON object a line.' },
  ],
  async run(context) {
    const open = await context.operator();
    const [views, partitions] = await Promise.all([readWorkers(open), readPartitions(open)]);
    const rows = views.map((view) => {
      const own = partitions.filter(({ owner }) => owner === view.lease.id);
      return rowOf(
        view,
        own.reduce((sum, { lag }) => sum + lag, 0),
      );
    });
    if (context.out.json) for (const row of rows) context.out.answer(row);
    else if (rows.length === 0) context.out.note('No worker is alive. Start one with troupe worker, or troupe dev.');
    else context.out.answer(rows, table(HEADS, rows.map(cellsOf)));
    return undefined;
  },
};

type WorkerState = 'live' | 'taking over' | 'waiting' | 'draining' | 'silent';

interface Row {
  readonly id: string;
  readonly state: WorkerState;
  readonly types: Readonly<Record<string, number>>;
  /** Unix ms. */
  readonly startedAt: number;
  /** Of the worker, ms. */
  readonly uptimeMs: number;
  readonly lag: number;
  /** The rest is absent for a silent worker. */
  readonly partitions?: readonly number[];
  readonly resident?: number;
  readonly effectsRunning?: number;
  readonly counters?: Readonly<Record<string, number>>;
  readonly about?: Readonly<Record<string, unknown>>;
}

function rowOf({ lease, stats }: WorkerView, lag: number): Row {
  const { id, startedAt, types } = lease;
  const common = { id, types, startedAt, uptimeMs: Math.max(0, Date.now() - startedAt), lag };
  if (stats === undefined) return { ...common, state: 'silent' };
  const { partitions, resident, effectsRunning, counters, about = {} } = stats;
  return { ...common, state: stateOf(stats), partitions, resident, effectsRunning, counters, about: { ...about } };
}

function stateOf({ draining, fresh, live, partitions }: NonNullable<WorkerView['stats']>): WorkerState {
  if (draining) return 'draining';
  if (!fresh) return 'waiting';
  return live < partitions.length ? 'taking over' : 'live';
}

const HEADS = [
  'WORKER',
  'STATE',
  'PARTITIONS',
  'LAG',
  'ACTORS',
  'UP',
  'MEMORY',
  'DELAY',
  'PROCESS',
  'VERSION',
  'TYPES',
];

function cellsOf({ id, state, partitions, lag, resident, uptimeMs, about = {}, types }: Row): string[] {
  const { rssBytes, loopDelay, pid, host, version } = about as {
    readonly rssBytes?: number;
    readonly loopDelay?: { readonly p50Ms: number; readonly p99Ms: number };
    readonly pid?: number;
    readonly host?: string;
    readonly version?: string;
  };
  return [
    id,
    state,
    partitions === undefined ? '-' : `${partitions.length}`,
    `${lag}`,
    resident === undefined ? '-' : `${resident}`,
    showLength(uptimeMs),
    rssBytes === undefined ? '-' : showBytes(rssBytes),
    loopDelay === undefined ? '-' : `${loopDelay.p50Ms}/${loopDelay.p99Ms} ms`,
    pid === undefined ? '-' : `${pid}@${host}`,
    version ?? '-',
    Object.entries(types)
      .map(([type, number]) => `${type} v${number}`)
      .join(', '),
  ];
}
