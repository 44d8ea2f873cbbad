import {
  type Connection,
  connectNats,
  createNatsPorts,
  type NatsConfigOptions,
  provision,
  resolveConfig,
  type ServerProcess,
  startServerProcess,
} from '@troupe/nats';
import { assertServerVersion, JsApi } from '@troupe/nats/internal';
import { isTroupeError } from '@troupe/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MIB = 1024 * 1024;
let server: ServerProcess;
let connection: Connection;
let api: JsApi;
let count = 0;

beforeAll(async () => {
  server = await startServerProcess({});
  connection = await connectNats({ servers: server.url, waitMs: 5_000 });
  api = new JsApi(connection);
});
afterAll(async () => {
  await connection.close();
  await server.close();
});

/** Small enough for any machine, under a prefix of its own. */
function options(more: NatsConfigOptions = {}): NatsConfigOptions {
  return { prefix: `p${++count}`, snapshots: { bytesMax: 32 * MIB }, deadLetters: { bytesMax: 32 * MIB }, ...more };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function streamConfig(name: string): Promise<Record<string, unknown>> {
  return (await api.streamInfo(name))!.config;
}

describe('provision', () => {
  test('creates every stream once, and does nothing the second time', async () => {
    const config = resolveConfig(
      options({ journal: { bytesMax: 32 * MIB }, outs: { types: ['support'], bytesMax: 32 * MIB } }),
    );
    const log: string[] = [];
    await provision(connection, config, (message) => log.push(message));
    expect(log).toEqual(
      ['JOURNAL', 'SNAPSHOTS', 'RECORDS', 'TICKS', 'DEAD', 'PARKED', 'OUTS'].map(
        (noun) => `created stream P${count}_${noun}`,
      ),
    );
    log.length = 0;
    await provision(connection, config, (message) => log.push(message));
    expect(log).toEqual([]);
  });

  test('leaves the stream that clients publish to without any feature that lets them forge or wipe', async () => {
    const config = resolveConfig(options({ journal: { bytesMax: 32 * MIB } }));
    await provision(connection, config);
    const journal = await streamConfig(config.journals[0]!.name);
    expect(journal).toMatchObject({ discard: 'new', allow_rollup_hdrs: false, allow_msg_ttl: false });
    expect(journal.allow_msg_schedules ?? false).toBe(false);
    expect(journal.allow_atomic ?? false).toBe(false);
    expect(journal.duplicate_window).toBe(100_000_000);
    expect(journal.max_msg_size).toBe(connection.payloadBytesMax - 16 * 1024);
  });

  test('is safe for two workers at once', async () => {
    const config = resolveConfig(options({ journal: { bytesMax: 32 * MIB } }));
    const other = await connectNats({ servers: server.url });
    await Promise.all([provision(connection, config), provision(other, config), provision(connection, config)]);
    await other.close();
    expect((await streamConfig(config.journals[0]!.name)).max_bytes).toBe(32 * MIB);
  });

  test('refuses another partition count, saying both and what to do', async () => {
    const wanted = options({ journal: { bytesMax: 32 * MIB }, partitions: 16 });
    await provision(connection, resolveConfig(wanted));
    const error = await failure(provision(connection, resolveConfig({ ...wanted, partitions: 64 })));
    expect(isTroupeError(error, 'StreamMismatch')).toBe(true);
    expect((error as Error).message).toBe(
      `Stream P${count}_JOURNAL was created with 16 partitions, configured are 64. The count is fixed for the stream's life: configure 16, or use another prefix.`,
    );
  });

  test('refuses a journal on which somebody turned rollups on', async () => {
    const config = resolveConfig(options({ journal: { bytesMax: 32 * MIB } }));
    await provision(connection, config);
    const name = config.journals[0]!.name;
    await api.call(`STREAM.UPDATE.${name}`, { ...(await streamConfig(name)), allow_rollup_hdrs: true });
    const error = await failure(provision(connection, config));
    expect(isTroupeError(error, 'StreamMismatch')).toBe(true);
    expect((error as Error).message).toContain('allow_rollup_hdrs');
  });

  test('refuses to share subjects with a stream of somebody else', async () => {
    const wanted = options({ journal: { bytesMax: 32 * MIB } });
    await api.call('STREAM.CREATE.FOREIGN', { name: 'FOREIGN', subjects: [`${wanted.prefix}.task.>`] });
    const error = await failure(provision(connection, resolveConfig(wanted)));
    expect(isTroupeError(error, 'StreamMismatch')).toBe(true);
    expect((error as Error).message).toContain('another stream already takes some of');
    await api.call('STREAM.DELETE.FOREIGN');
  });

  test('updates what the user chose, tells it, and keeps what an operator changed otherwise', async () => {
    const wanted = options({ journal: { bytesMax: 32 * MIB } });
    const config = resolveConfig(wanted);
    await provision(connection, config);
    const name = config.journals[0]!.name;
    await api.call(`STREAM.UPDATE.${name}`, {
      ...(await streamConfig(name)),
      max_msg_size: 100_000,
      description: 'ours',
    });
    const log: unknown[] = [];
    const larger = resolveConfig({ ...wanted, journal: { bytesMax: 48 * MIB } });
    await provision(connection, larger, (message, fields) => log.push([message, fields]));
    expect(log).toEqual([[`updating stream ${name}`, { stream: name, changes: { max_bytes: 48 * MIB } }]]);
    expect(await streamConfig(name)).toMatchObject({ max_bytes: 48 * MIB, max_msg_size: 100_000, description: 'ours' });
  });

  test('adds the types whose outs are kept, and takes none away', async () => {
    const wanted = options({ journal: { bytesMax: 32 * MIB } });
    const outs = (types: string[]) => resolveConfig({ ...wanted, outs: { types, bytesMax: 32 * MIB } });
    await provision(connection, outs(['support']));
    await provision(connection, outs(['order']));
    const name = outs([]).streams.outs;
    expect([...((await streamConfig(name)).subjects as string[])].sort()).toEqual([
      `${wanted.prefix}.out.order.>`,
      `${wanted.prefix}.out.support.>`,
    ]);
    const ports = createNatsPorts(await connectNats({ servers: server.url }), outs(['order']));
    await ports.bus.publishDurable(`${wanted.prefix}.out.order.john`, new Uint8Array(1));
    expect((await api.streamInfo(name))!.state.messages).toBe(1);
    await ports.bus.publishDurable(`${wanted.prefix}.out.other.john`, new Uint8Array(1));
    expect((await api.streamInfo(name))!.state.messages).toBe(1);
    await ports.close();
  });

  test('splits the journal by type', async () => {
    const wanted = options({
      journal: { bytesMax: 32 * MIB },
      partitions: 4,
      journals: [{ types: ['a', 'b'] }, { types: ['c'] }],
    });
    const config = resolveConfig(wanted);
    await provision(connection, config);
    const ports = createNatsPorts(await connectNats({ servers: server.url }), config);
    expect(ports.journal.partitions).toBe(8);
    const seen: string[] = [];
    for (let partition = 0; partition < 8; partition++) {
      await ports.journal.read({
        partition,
        fromSeq: 1,
        onMessage: ({ type, keyToken }) => {
          expect(ports.journal.partitionOf({ type, key: keyToken })).toBe(partition);
          seen.push(type);
        },
        onHead: () => undefined,
        onLost: () => undefined,
      });
    }
    for (const type of ['a', 'b', 'c']) {
      const address = { type, key: 'john' };
      const { seq } = await ports.journal.append(address, { kind: 'tick' });
      expect(await ports.journal.headSeq(ports.journal.partitionOf(address))).toBe(seq);
    }
    await expect.poll(() => seen.length).toBe(3);
    expect(seen.sort()).toEqual(['a', 'b', 'c']);
    expect(ports.journal.partitionOf({ type: 'c', key: 'john' })).toBeGreaterThanOrEqual(4);
    await ports.close();
  });

  test('halves all default sizes together where the server has less to give', async () => {
    await using small = await startServerProcess({ jetstreamConfig: 'max_file: 1GB' });
    const line = await connectNats({ servers: small.url, waitMs: 5_000 });
    const config = resolveConfig({});
    await provision(line, config);
    const { config: journal } = (await new JsApi(line).streamInfo('TROUPE_JOURNAL'))!;
    expect(journal.max_bytes).toBe(256 * MIB);
    expect((await new JsApi(line).streamInfo('TROUPE_DEAD'))!.config.max_bytes).toBe(64 * MIB);
    await line.close();
  });

  test('says that JetStream is off', async () => {
    await using plain = await startServerProcess({ jetstream: false });
    const line = await connectNats({ servers: plain.url, waitMs: 5_000 });
    const error = await failure(provision(line, resolveConfig({})));
    expect(error).toMatchObject({ kind: 'disconnected' });
    expect((error as Error).message).toContain('start nats-server with -js');
    // Also when the last attempt had no time left to be answered.
    const api = new JsApi(line);
    for (let timeoutMs = 51; timeoutMs <= 70; timeoutMs++)
      expect(await failure(api.call('INFO', undefined, timeoutMs)), `${timeoutMs} ms`).toMatchObject({
        kind: 'disconnected',
      });
    await line.close();
  });
});

describe('the server', () => {
  test.each(['2.9.25', '2.10.29', '2.11.12', '1.99.0'])('version %s is too old', (version) => {
    expect(() => assertServerVersion(version)).toThrow(expect.objectContaining({ code: 'ServerTooOld' }));
  });

  test.each(['2.12.0', '2.15.1', '2.15.1-beta.1', '3.0.0'])('version %s will do', (version) => {
    expect(() => assertServerVersion(version)).not.toThrow();
  });
});
