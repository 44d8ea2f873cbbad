/** The workers: who is alive, who owns what, how far they are. */
import type { OpenPorts } from '@troupe/service-worker';
import type { Lease } from '../operator/workers.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** A takeover has to read so many entries; beyond, it takes long. */
const LAG_WARNING = 20_000;
/** Measured reading speed of a takeover, entries per second. */
const READ_PER_SECOND = 80_000;

export function checkWorkers(leases: readonly Lease[]): Finding {
  if (leases.length === 0)
    return warning(
      'workers',
      'none is alive: tasks are accepted and wait. Start one with troupe dev or troupe worker.',
    );
  const types = [
    ...new Set(leases.flatMap((lease) => Object.entries(lease.types).map(([type, version]) => `${type} v${version}`))),
  ].sort();
  return ok('workers', `${leases.length} alive, hosting ${types.join(', ') || 'nothing'}`);
}

/** Types of the config file that nobody hosts, or in another version. */
export function checkTypes(
  leases: readonly Lease[],
  wanted: readonly { readonly type: string; readonly version: number }[],
): Finding[] {
  if (leases.length === 0 || wanted.length === 0) return [];
  const missing = wanted.filter(({ type }) => !leases.some((lease) => lease.types[type] !== undefined));
  const other = wanted.filter(({ type, version }) =>
    leases.some((lease) => lease.types[type] !== undefined && lease.types[type] !== version),
  );
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(
      warning(
        'types',
        `no worker hosts ${missing.map(({ type }) => type).join(', ')} of the config file: start one with this config.`,
      ),
    );
  if (other.length > 0)
    findings.push(
      warning(
        'types',
        `workers run other versions of ${other.map(({ type, version }) => `${type} (here ${version})`).join(', ')}: a deploy is under way, or forgotten.`,
      ),
    );
  return findings.length > 0 ? findings : [ok('types', `all ${wanted.length} of the config file are hosted`)];
}

/** Partitions without a live owner. */
export async function checkOwners(open: OpenPorts, leases: readonly Lease[]): Promise<Finding> {
  const records = await open.ports.records.list('partition');
  const alive = new Set(leases.map(({ id }) => id));
  const owned = [...records.values()].filter(({ value }) =>
    alive.has((value as { owner?: string }).owner ?? ''),
  ).length;
  const { partitions } = open.ports.journal;
  if (owned >= partitions) return ok('owners', `all ${partitions} partitions are owned`);
  if (leases.length === 0)
    return warning('owners', `none of ${partitions} partitions is owned, for no worker is alive`);
  return problem(
    'owners',
    `${partitions - owned} of ${partitions} partitions have no live owner: their actors stand still. If this lasts longer than a lease (15 s), look at the workers' logs.`,
  );
}

/** How far behind the head the marks are: what the next owner would have to read. */
export async function checkLag(open: OpenPorts): Promise<Finding> {
  const { journal, records } = open.ports;
  const checkpoints = await records.list('checkpoint');
  const lags = await Promise.all(
    Array.from({ length: journal.partitions }, async (_, partition) => {
      const head = await journal.headSeq(partition);
      const { mark = 1 } = (checkpoints.get(`checkpoint.${partition}`)?.value ?? {}) as { mark?: number };
      // Sequences are the stream's, shared by all partitions, so this is an upper bound.
      return head === 0 ? 0 : Math.max(0, head + 1 - mark);
    }),
  );
  const unread = Math.max(0, ...lags);
  const text = `the furthest partition's mark is at most ${unread} entries behind its head`;
  if (unread <= LAG_WARNING) return ok('lag', text);
  return warning('lag', `${text}: a takeover would take up to ${Math.ceil(unread / READ_PER_SECOND)} s`);
}
