/** HTTP byte by byte, for what no decent client sends. */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const PATIENCE_MS = 15_000;

/** Sends the text as it is, and reads until the other side closes. */
export function sendRaw(port: number, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the gateway neither answered nor closed within ${PATIENCE_MS} ms; seen: ${seen}`));
    }, PATIENCE_MS);
    let seen = '';
    socket.setEncoding('utf8').on('data', (more) => {
      seen += more;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      const [head = '', ...body] = seen.split('\r\n\r\n');
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body: body.join('\r\n\r\n') });
    });
    socket.write(text);
  });
}

/** A whole request with exactly these headers; asks to close afterwards. */
export function request(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body = '',
): string {
  const length: readonly [string, string][] = body === '' ? [] : [['Content-Length', `${Buffer.byteLength(body)}`]];
  const lines = [...headers, ...length, ['Connection', 'close'] as const].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
