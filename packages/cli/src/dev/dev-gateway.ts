/** The gateway beside `troupe dev`: in this process, with connections of its own. */
import { connect } from '@troupe/client';
import { createLogger } from '@troupe/diagnostics';
import type { OpenPorts } from '@troupe/service-worker';
import { loadConfig, type Settings } from '@troupe/service-worker/internal';
import { openDevGateway } from '../gateway/open-gateway.ts';

export interface DevGateway {
  readonly url: string;
  close(): Promise<void>;
}

export interface DevGatewayOptions {
  readonly settings: Settings;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the server. */
  readonly url: string;
  readonly open: OpenPorts;
  /** Whether somebody said where it listens. */
  readonly chosen: boolean;
}

/** The machines it shows are those of now; a reload of the worker changes them at the next start. */
export async function startDevGateway(options: DevGatewayOptions): Promise<DevGateway> {
  const { settings, configFile, env, url, open, chosen } = options;
  const troupe = await connect({ url, prefix: settings.prefix, name: 'troupe-dev-gateway' });
  try {
    const { config } = await loadConfig(configFile);
    // Failures only: the log of dev is for outcomes.
    const log = createLogger({ level: 'error', fields: { component: 'gateway' } });
    const shared = { settings, env, troupe, open, actors: config.actors as never, log, page: true };
    const gateway = await openDevGateway(shared, chosen);
    return {
      url: gateway.url,
      close: async () => {
        await gateway.close();
        await troupe.close();
      },
    };
  } catch (error) {
    await troupe.close();
    throw error;
  }
}
