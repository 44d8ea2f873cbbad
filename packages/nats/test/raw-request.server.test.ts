import { type Connection, connectNats, type ServerProcess, startServerProcess } from '@troupe/nats';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const some = new Uint8Array([1]);
let server: ServerProcess;
const connections: Connection[] = [];

beforeAll(async () => {
  server = await startServerProcess({});
});
afterAll(() => server.close());
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

async function connectTo(options: { inFlightMax?: number } = {}): Promise<Connection> {
  const connection = await connectNats({ servers: server.url, waitMs: 5_000, ...options });
  connections.push(connection);
  return connection;
}

async function kindOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'answered',
    (error: { kind: string }) => error.kind,
  );
}

describe('raw requests', () => {
  test('each get their own answer, out of order too', async () => {
    const [client, service] = [await connectTo(), await connectTo()];
    service.nc.subscribe('echo', {
      callback: (_, msg) => void setTimeout(() => msg.respond(msg.data), msg.data[0]! % 7),
    });
    await service.nc.flush();
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const answers = await Promise.all(
      numbers.map((i) => client.requests.request('echo', Uint8Array.of(i), undefined, 5_000)),
    );
    expect(answers.map((answer) => answer.data[0])).toEqual(numbers);
    expect(client.requests.pending).toEqual({ inFlight: 0, waiting: 0 });
  });

  test('time out close to their own deadline', async () => {
    const client = await connectTo();
    client.nc.subscribe('silent', { callback: () => undefined });
    const startedAt = performance.now();
    const ended = [100, 400].map(async (timeoutMs) => {
      expect(await kindOf(client.requests.request('silent', some, undefined, timeoutMs))).toBe('timeout');
      return performance.now() - startedAt - timeoutMs;
    });
    for (const late of await Promise.all(ended)) {
      expect(late).toBeGreaterThanOrEqual(-1);
      expect(late).toBeLessThan(2_000);
    }
  });

  test('fail at once when nobody listens', async () => {
    const client = await connectTo();
    expect(await kindOf(client.requests.request('nobody', some, undefined, 5_000))).toBe('no-responders');
  });

  test('beyond the bound in flight wait their turn, and are all answered', async () => {
    const [client, service] = [await connectTo({ inFlightMax: 8 }), await connectTo()];
    let open = 0;
    let openMax = 0;
    service.nc.subscribe('slow', {
      callback: (_, msg) => {
        openMax = Math.max(openMax, ++open);
        setTimeout(() => {
          open--;
          msg.respond(msg.data);
        }, 5);
      },
    });
    await service.nc.flush();
    const calls = Array.from({ length: 100 }, () => client.requests.request('slow', some, undefined, 5_000));
    expect(client.requests.pending).toEqual({ inFlight: 8, waiting: 92 });
    await Promise.all(calls);
    expect(openMax).toBeLessThanOrEqual(8);
  });

  test('beyond the bound of what may wait are refused as full', async () => {
    const client = await connectTo({ inFlightMax: 1 });
    client.nc.subscribe('silent', { callback: () => undefined });
    const calls = Array.from({ length: 16_384 + 2 }, () =>
      kindOf(client.requests.request('silent', some, undefined, 300)),
    );
    expect(await calls.at(-1)).toBe('full');
    expect(new Set(await Promise.all(calls.slice(0, -1)))).toEqual(new Set(['timeout']));
  });

  test('in flight fail at once when the connection is lost, and those made meanwhile go out later', async () => {
    const client = await connectTo();
    client.nc.subscribe('silent', { callback: () => undefined });
    const inFlight = kindOf(client.requests.request('silent', some, undefined, 20_000));
    const startedAt = performance.now();
    await client.nc.flush();
    await server.kill('SIGKILL');
    expect(await inFlight).toBe('disconnected');
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    const meanwhile = kindOf(client.requests.request('$JS.API.INFO', some, undefined, 20_000));
    const tooShort = kindOf(client.requests.request('$JS.API.INFO', some, undefined, 100));
    expect(await tooShort).toBe('disconnected');
    await server.restart();
    expect(['answered', 'no-responders']).toContain(await meanwhile);
  });

  test('end when the connection is closed', async () => {
    const client = await connectTo();
    client.nc.subscribe('silent', { callback: () => undefined });
    const call = kindOf(client.requests.request('silent', some, undefined, 5_000));
    await client.close();
    expect(await call).toBe('closed');
    expect(await kindOf(client.requests.request('silent', some, undefined, 5_000))).toBe('closed');
  });
});

describe('connecting', () => {
  test('fails clearly when there is no server, after the time given', async () => {
    const startedAt = performance.now();
    const error = await connectNats({ servers: 'nats://127.0.0.1:1', waitMs: 600 }).catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ kind: 'disconnected' });
    expect((error as Error).message).toContain('nats://127.0.0.1:1');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(600);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('fails at once when the credentials are refused', async () => {
    await using secured = await startServerProcess({ config: 'authorization { user: a, password: b }' });
    const error = await connectNats({ servers: secured.url, user: 'a', pass: 'x', waitMs: 10_000 }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ kind: 'denied' });
  });

  test('waits for a server that starts later', async () => {
    const late = await startServerProcess({});
    await late.kill('SIGKILL');
    const connecting = connectNats({ servers: late.url, waitMs: 15_000 });
    await late.restart();
    const connection = await connecting;
    expect(connection.connected).toBe(true);
    await connection.close();
    await late.close();
  });
});
