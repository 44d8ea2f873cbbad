/** The gateway beside the desk, with the page that looks inside. */
import { connect } from '@troupe/client';
import { createLogger } from '@troupe/diagnostics';
import { type Gateway, INSPECTOR_MOUNTS, startGateway } from '@troupe/service-gateway';
import { inspectorPage } from '@troupe/service-inspector';
import { openPorts } from '@troupe/service-worker';
import { resolveSettings } from '@troupe/service-worker/internal';
import config from '../troupe.config.ts';

export interface DeskInspector extends AsyncDisposable {
  /** Opens on the desk that the questions go to. */
  readonly url: string;
}

/** Ports after the usual one that are tried; then any free one. */
const NEXT_PORTS = 20;

/** Starts it on the usual port of this machine, or the next free one. */
export async function startInspector(natsUrl: string): Promise<DeskInspector> {
  await using cleanup = new AsyncDisposableStack();
  const { settings } = resolveSettings({ flags: { 'nats-url': natsUrl }, config, cwd: process.cwd() });
  const troupe = await connect({ url: natsUrl, name: 'docs-desk-inspector' });
  cleanup.defer(() => troupe.close());
  const { ports } = await openPorts({ settings, config, name: 'docs-desk-inspector' });
  cleanup.defer(() => ports.close());
  const gateway: Gateway = await startGateway({
    nextPorts: NEXT_PORTS,
    troupe,
    ports,
    prefix: settings.prefix,
    definitions: config.actors,
    log: createLogger({ level: 'error', fields: { component: 'gateway' } }),
    mounts: INSPECTOR_MOUNTS,
    page: await inspectorPage(),
  });
  cleanup.defer(() => gateway.close());
  const kept = cleanup.move();
  return { url: `${gateway.url}/actor/desk/john`, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
