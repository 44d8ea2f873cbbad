/** The configuration file of a server that we start ourselves. */

export interface ServerConfig {
  readonly name: string;
  /** -1 lets the server choose; it then writes the choice into `portsDir`. */
  readonly port: number;
  readonly monitorPort: number;
  readonly portsDir: string;
  /** Undefined turns JetStream off. */
  readonly jetstream:
    | { readonly storeDir: string; readonly syncAlways: boolean; readonly settings: string }
    | undefined;
  /** Further lines, as nats-server reads them. */
  readonly settings: string;
}

/** Loopback only: a server without authentication must not be reachable from elsewhere. */
export const SERVER_HOST = '127.0.0.1';

export function formatServerConfig(config: ServerConfig): string {
  const lines = [
    `server_name: ${quote(config.name)}`,
    `host: ${quote(SERVER_HOST)}`,
    `port: ${config.port}`,
    `http: ${quote(`${SERVER_HOST}:${config.monitorPort}`)}`,
    `ports_file_dir: ${quote(config.portsDir)}`,
  ];
  if (config.jetstream !== undefined) {
    const { storeDir, syncAlways, settings } = config.jetstream;
    lines.push('jetstream {', `  store_dir: ${quote(storeDir)}`);
    if (syncAlways) lines.push('  sync_interval: always');
    lines.push(settings, '}');
  }
  return `${[...lines, config.settings].filter((line) => line !== '').join('\n')}\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
