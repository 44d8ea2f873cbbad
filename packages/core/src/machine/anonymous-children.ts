/**
 * `spawnChild` without an id: XState files every such child under the key `undefined`, where the second one replaces
 * the first. Here each keeps the id that the scope gave it, so that all of them are found again after a restart.
 */
import type { NodeSnapshot } from './engine.ts';
import type { Kernel } from './kernel.ts';
import { type NodeRef, STOPPED } from './node-ref.ts';

const MISFILED = 'undefined';

/** The snapshot with the nameless children of this step under their own ids. */
export function nameAnonymousChildren(
  kernel: Kernel,
  created: readonly NodeRef[],
  snapshot: NodeSnapshot,
): NodeSnapshot {
  const filed = snapshot.children!;
  const missing = created.filter((ref) => filed[ref.id] !== ref && kernel.processingOf(ref) !== STOPPED);
  const misfiled = created.includes(filed[MISFILED]!);
  if (missing.length === 0 && !misfiled) return snapshot;
  const children = { ...filed };
  if (misfiled) delete children[MISFILED];
  for (const ref of missing) children[ref.id] = ref;
  return { ...snapshot, children };
}
