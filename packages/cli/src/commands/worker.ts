import { reportReady, WORKER_EXIT } from '@troupe/service-worker/internal';
import type { Command } from '../command.ts';

export const worker: Command = {
  name: 'worker',
  summary: 'Host the actors of troupe.config.ts until told to stop.',
  description:
    'Makes the streams exist, takes its share of the partitions, and on SIGTERM or SIGINT gives everything back within --drain-ms; a second signal ends it at once. Logs are JSON lines on stderr.',
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
  ],
  exitCodes: {
    [WORKER_EXIT.ok]: 'Drained in good order.',
    [WORKER_EXIT.drainTimeout]: 'The drain did not end in time; nothing is lost, the next owner goes on from there.',
  },
  async run(context) {
    const { config } = await context.requireConfig('a worker');
    const { settings } = await context.project();
    const [{ createLogger }, { runWorker }] = await Promise.all([
      import('@troupe/diagnostics'),
      import('@troupe/service-worker'),
    ]);
    const log = createLogger({ level: settings.logLevel, fields: { component: 'worker' } });
    return runWorker({ settings, config, log, dev: context.has('dev'), onReady: reportReady });
  },
};
