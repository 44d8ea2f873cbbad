/** From settings to the runtime's ports. */
import type { ActorDefinition, TroupeConfig } from '@troupe/agent';
import {
  type Connection,
  connectNats,
  createNatsPorts,
  type NatsConfig,
  type NatsConfigOptions,
  type NatsOptions,
  provision,
  resolveConfig,
} from '@troupe/nats';
import { PortError, type Ports } from '@troupe/runtime';
import { TroupeError } from '@troupe/wire';
import type { Settings } from './settings.ts';

/** A connection with its ports. Closing the ports closes it. */
export interface OpenPorts {
  readonly connection: Connection;
  readonly config: NatsConfig;
  readonly ports: Ports;
}

/** How ports are opened. */
export interface OpenPortsOptions {
  readonly settings: Settings;
  readonly config?: TroupeConfig | undefined;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** How long to try for the first connection, ms. Default 0: once. */
  readonly waitMs?: number;
  /** Create what is missing. Default false: an operator's tool changes nothing by looking. */
  readonly provision?: boolean;
  /** What provisioning did. */
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Connects and opens the ports.
 *
 * @throws TroupeError `NotConnected`, `PermissionDenied`, `ServerTooOld`, `StreamMismatch`
 */
export async function openPorts(options: OpenPortsOptions): Promise<OpenPorts> {
  const { settings, config } = options;
  const resolved = resolveConfig(streamOptions(settings, config));
  const connection = await connectNats(natsOptions(options)).catch((error: unknown) => {
    throw connectError(error, settings.natsUrl);
  });
  try {
    if (options.provision === true) await provision(connection, resolved, options.log);
    return { connection, config: resolved, ports: createNatsPorts(connection, resolved) };
  } catch (error) {
    await connection.close();
    throw connectError(error, settings.natsUrl);
  }
}

/** What the streams should be like. */
export function streamOptions(settings: Settings, config: TroupeConfig | undefined): NatsConfigOptions {
  const kept = (config?.actors ?? [])
    .filter((actor: ActorDefinition) => actor.out === 'keep')
    .map((actor) => actor.type);
  const { outs, ...streams } = config?.streams ?? {};
  const { prefix, partitions, journalStreams, replicas } = settings;
  return {
    ...streams,
    outs: { ...outs, types: kept },
    prefix,
    partitions,
    ...(journalStreams === 1 ? {} : { journalStreams }),
    ...(replicas === undefined ? {} : { replicas }),
  };
}

function natsOptions({ settings, name, waitMs }: OpenPortsOptions): NatsOptions {
  const { natsUrl, user, pass, passFile, token, creds, ca, inboxPrefix } = settings;
  return {
    servers: natsUrl,
    name,
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(passFile === undefined ? {} : { passFile }),
    ...(ca === undefined ? {} : { tls: { caFile: ca } }),
    ...(token === undefined ? {} : { token }),
    ...(creds === undefined ? {} : { credsFile: creds }),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
  };
}

/** A port's error as one of the family, with what to do. */
export function connectError(error: unknown, url: string): unknown {
  if (!(error instanceof PortError)) return error;
  if (error.kind === 'denied') {
    return new TroupeError('PermissionDenied', `${error.message}. Check user, token or credentials file.`, {
      cause: error,
    });
  }
  if (error.kind === 'timeout') return new TroupeError('Timeout', `${error.message}.`, { cause: error });
  const hint = 'Start one with `troupe dev`, or say where it is with --nats-url or TROUPE_NATS_URL.';
  return new TroupeError(
    'NotConnected',
    `NATS at ${url.replace(/\/\/[^@/]*@/g, '//')}: ${error.message.replace(/[^.?]$/, '$&.')} ${hint}`,
    {
      cause: error,
    },
  );
}
