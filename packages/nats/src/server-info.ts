/** What a server says on its own as soon as somebody connects; that it says it is the sign that it is ready. */
import { createConnection } from 'node:net';

export interface ServerInfo {
  readonly version: string;
  readonly jetstream?: boolean;
  readonly server_name?: string;
  readonly port: number;
}

const INFO_BYTES_MAX = 64 * 1024;

/** Reads the `INFO` line. Rejects when there is no server, no line in time, or another protocol. */
export function readServerInfo(host: string, port: number, timeoutMs: number): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let received = '';
    const fail = (reason: Error) => {
      socket.destroy();
      reject(reason);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`${host}:${port} sent no INFO within ${timeoutMs} ms`)));
    socket.on('error', fail);
    socket.on('close', () => reject(new Error(`${host}:${port} closed the connection without INFO`)));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      const end = received.indexOf('\r\n');
      if (end < 0 && received.length < INFO_BYTES_MAX) return;
      const info = parseInfo(received.slice(0, Math.max(end, 0)));
      socket.destroy();
      if (info === undefined) reject(new Error(`${host}:${port} is not a NATS server: ${received.slice(0, 60)}`));
      else resolve(info);
    });
  });
}

function parseInfo(line: string): ServerInfo | undefined {
  if (!line.startsWith('INFO ')) return undefined;
  try {
    return JSON.parse(line.slice(5)) as ServerInfo;
  } catch {
    return undefined;
  }
}
