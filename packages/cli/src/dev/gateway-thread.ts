/**
 * The thread that serves the gateway of `troupe dev`: the project's code is loaded here, so a new thread has the new code.
 *
 * It loads everything first and says so; it listens when it is told where, and ends when it is told to close.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { connect } from '@troupe/client';
import { createLogger } from '@troupe/diagnostics';
import { openPorts } from '@troupe/service-worker';
import { loadConfig } from '@troupe/service-worker/internal';
import { TroupeError } from '@troupe/wire';
import { openGateway } from '../gateway/open-gateway.ts';
import type { GatewayThreadData, ToGateway, ToSession } from './gateway-messages.ts';

const { settings, configFile, env, pageDir } = workerData as GatewayThreadData;
const port = parentPort!;
const tell = (message: ToSession): void => port.postMessage(message);

async function main(): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const { config } = await loadConfig(configFile);
  const { natsUrl: url, user, pass, passFile, token, creds, ca, inboxPrefix, prefix } = settings;
  const tls = ca === undefined ? undefined : { caFile: ca };
  const name = 'troupe-dev-gateway';
  const troupe = await connect({ url, user, pass, passFile, token, creds, tls, inboxPrefix, prefix, name });
  cleanup.defer(() => troupe.close());
  const open = await openPorts({ settings, config, name });
  cleanup.defer(() => open.ports.close());
  tell({ kind: 'loaded' });
  const told = await nextMessage();
  if (told.kind === 'close') return;
  const gateway = await openGateway({
    settings: { ...settings, listen: told.listen },
    env,
    troupe,
    open,
    actors: config.actors as never,
    // Failures only: the log of dev is for outcomes.
    log: createLogger({ level: 'error', fields: { component: 'gateway' } }),
    page: { dir: pageDir },
    nextPorts: told.nextPorts,
  });
  cleanup.defer(() => gateway.close());
  tell({ kind: 'listening', url: gateway.url, port: gateway.port, needsToken: gateway.needsToken });
  while ((await nextMessage()).kind !== 'close');
}

function nextMessage(): Promise<ToGateway> {
  return new Promise((resolve) => port.once('message', resolve));
}

await main().catch((error: unknown) => {
  const code = error instanceof TroupeError ? error.code : 'ConfigInvalid';
  tell({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) });
});
port.close();
