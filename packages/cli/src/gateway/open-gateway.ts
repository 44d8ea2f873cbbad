/** From settings to a gateway that runs, for `troupe gateway` and `troupe dev`. */
import { readFileSync } from 'node:fs';
import type { AnyAgent } from '@troupe/agent';
import type { Troupe } from '@troupe/client';
import type { Logger } from '@troupe/diagnostics';
import type { Gateway } from '@troupe/service-gateway';
import type { OpenPorts } from '@troupe/service-worker';
import type { Settings } from '@troupe/service-worker/internal';
import { TroupeError } from '@troupe/wire';

export interface OpenGatewayOptions {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly troupe: Troupe;
  readonly open: OpenPorts;
  readonly actors: readonly AnyAgent[];
  readonly log: Logger;
  /** Serve the inspector's page too; a folder where it is made already. */
  readonly page: boolean | { readonly dir: string };
  /** Ports after that of `--listen` to try where it is taken, then any free one. Default 0: none. */
  readonly nextPorts?: number;
}

/** @throws TroupeError `ConfigInvalid` */
export async function openGateway(options: OpenGatewayOptions): Promise<Gateway> {
  const { settings, env, troupe, open, actors, log } = options;
  const [{ INSPECTOR_MOUNTS, startGateway }, { gatewayTokens }] = await Promise.all([
    import('@troupe/service-gateway'),
    import('./gateway-tokens.ts'),
  ]);
  return startGateway({
    listen: settings.listen,
    tokens: gatewayTokens(settings.tokensFile, env),
    allowHosts: (settings.allowHosts ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
    tls: readTls(settings),
    troupe,
    ports: open.ports,
    prefix: settings.prefix,
    definitions: actors as never,
    log,
    mounts: INSPECTOR_MOUNTS,
    page: await pageOf(options.page),
    nextPorts: options.nextPorts,
  });
}

async function pageOf(page: OpenGatewayOptions['page']): Promise<{ readonly dir: string } | undefined> {
  if (typeof page === 'object') return page;
  return page ? (await import('@troupe/service-inspector')).inspectorPage() : undefined;
}

function readTls({ tlsCert, tlsKey }: Settings): { cert: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new TroupeError('ConfigInvalid', '--tls-cert and --tls-key are given together or not at all.');
  return { cert: readPem(tlsCert, '--tls-cert'), key: readPem(tlsKey, '--tls-key') };
}

function readPem(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TroupeError('ConfigInvalid', `${file} can't be read: check ${flag}.`, { cause });
  }
}
