/** How many partitions the journal really has: an operator's tool must not depend on a setting for it. */
import type { OpenPorts } from '@troupe/service-worker';
import { readStream } from './streams.ts';

/** The count in the journal's subject transform; undefined when there is no journal. */
export async function findPartitions(open: OpenPorts): Promise<number | undefined> {
  const info = await readStream(open, open.config.journals[0]!.name);
  return info === undefined ? undefined : partitionsOf(info.config);
}

/** @example partitionsOf({ subject_transform: { dest: 'troupe.journal.{{partition(64,2,3)}}...' } }) // 64 */
export function partitionsOf(config: { readonly subject_transform?: { readonly dest?: string } }): number | undefined {
  const count = /partition\((\d+),/.exec(config.subject_transform?.dest ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}
