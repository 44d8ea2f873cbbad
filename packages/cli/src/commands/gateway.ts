import { once } from 'node:events';
import type { Command } from '../command.ts';

export const gateway: Command = {
  name: 'gateway',
  summary: 'Serve HTTP in front of the actors, and the inspector, until told to stop.',
  description:
    'Tasks, asks, signals, reads, dead letters, event streams, health and metrics; /openapi.json describes them. On this machine only, unless there are tokens (--tokens, TROUPE_GATEWAY_READ_TOKEN, TROUPE_GATEWAY_OPERATE_TOKEN). Logs are JSON lines on stderr.',
  args: [],
  options: { 'no-page': { meaning: 'The API alone, without the page of the inspector.' } },
  reach: 'gateway',
  examples: [
    { line: 'troupe gateway', meaning: 'On http://127.0.0.1:4280, for this machine.' },
    {
      line: 'troupe gateway --listen 0.0.0.0:4280 --tokens tokens.txt --allow-host troupe.example.org',
      meaning: 'For others: with tokens, under a name, behind a proxy that ends TLS or with --tls-cert and --tls-key.',
    },
  ],
  exitCodes: { 0: 'Stopped by Ctrl-C or SIGTERM.' },
  async run(context) {
    const { settings, loaded } = await context.project();
    const [{ createLogger }, { openGateway }] = await Promise.all([
      import('@troupe/diagnostics'),
      import('../gateway/open-gateway.ts'),
    ]);
    const { signal, env } = context.io;
    const troupe = await context.client(Math.max(1, settings.natsWaitMs));
    const running = await openGateway({
      settings,
      env,
      troupe,
      open: await context.operator(),
      actors: loaded?.config.actors ?? [],
      log: createLogger({ level: settings.logLevel, fields: { component: 'gateway' } }),
      page: !context.has('no-page'),
    });
    context.onClose(() => running.close());
    context.out.answer({ event: 'listening', url: running.url }, `gateway on ${running.url}`);
    if (!signal.aborted) await once(signal, 'abort');
    return undefined;
  },
};
