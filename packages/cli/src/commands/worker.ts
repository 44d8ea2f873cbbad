import { reportReady, runProcesses, WORKER_EXIT } from '@troupe/service-worker/internal';
import type { Command } from '../command.ts';

export const worker: Command = {
  name: 'worker',
  summary: 'Host the actors of troupe.config.ts until told to stop.',
  description:
    'Makes the streams exist, takes its share of the partitions, and on SIGTERM or SIGINT gives everything back within --drain-ms; a second signal ends it at once. With --processes, a parent starts that many workers, each with an event loop of its own, and starts one again that ends by itself, after waits from half a second to half a minute; it gives up when none of them works. A process whose event loop does not turn for --stuck-ms is killed, and the log says in which actor it was. Logs are JSON lines on stderr.',
  args: [],
  options: {
    dev: {
      meaning: 'A changed machine under the same version is an edit in progress, no conflict. Never in production.',
    },
  },
  reach: 'worker',
  examples: [
    {
      line: 'troupe worker --nats-url nats://nats:4222',
      meaning: 'As many of these as are needed, on as many machines.',
    },
    {
      line: 'troupe worker --processes auto --health-port 8081',
      meaning: 'One process per core; /livez and /readyz tell how all of them are.',
    },
  ],
  exitCodes: {
    [WORKER_EXIT.ok]: 'Drained in good order.',
    [WORKER_EXIT.drainTimeout]: 'The drain did not end in time; nothing is lost, the next owner goes on from there.',
    130: 'A second SIGINT ended it at once; SIGTERM: 143.',
  },
  async run(context) {
    const { config, file } = await context.requireConfig('a worker');
    const { settings } = await context.project();
    const { createLogger } = await import('@troupe/diagnostics');
    if (settings.processes !== undefined) {
      const log = createLogger({ level: settings.logLevel, fields: { component: 'parent' } });
      const { flags, io } = context;
      return runProcesses({ settings, configFile: file, flags, env: { ...io.env }, cwd: io.cwd, log });
    }
    const { runWorker } = await import('@troupe/service-worker');
    const fields = { component: 'worker' };
    const log = createLogger({ level: settings.logLevel, types: settings.logLevels, fields });
    return runWorker({ settings, config, log, dev: context.has('dev'), onReady: reportReady });
  },
};
