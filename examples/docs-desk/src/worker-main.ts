/**
 * The worker of the example, as a process of its own: what `troupe worker` runs, with this folder's config; and it tells its
 * parent what it has done so far.
 */
import { createLogger } from '@troupe/diagnostics';
import { exitCodeOf, runWorker } from '@troupe/service-worker';
import { resolveSettings } from '@troupe/service-worker/internal';
import config from '../troupe.config.ts';
import { isCountsRequest, type WorkerMessage } from './worker-messages.ts';

/** Somebody waits at the terminal, and whatever isn't finished goes on at the next start. */
const DRAIN_MS = '3000';

const tell = (message: WorkerMessage): unknown => process.send?.(message);
const log = createLogger({ level: process.env.TROUPE_LOG_LEVEL || 'info', fields: { component: 'worker' } });
try {
  const { settings } = resolveSettings({
    flags: { 'drain-ms': DRAIN_MS },
    env: process.env,
    config,
    cwd: process.cwd(),
  });
  process.exitCode = await runWorker({
    settings,
    config,
    log,
    dev: true,
    onReady: (worker) => {
      process.on('message', (message) => {
        if (!isCountsRequest(message)) return;
        const { turns, entries, snapshots } = worker.stats().counters;
        tell({ kind: 'counts', id: message.id, counts: { turns, entries, snapshots } });
      });
      tell({ kind: 'ready' });
    },
  });
} catch (error) {
  log.error({ error }, error instanceof Error ? error.message : String(error));
  process.exitCode = exitCodeOf(error);
}
process.exit();
