/** The server and we must agree on stored subjects and partitions, or actors would have no owner. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSubjects, encodeKey, partitionOf } from '@troupe/wire';
import { connect, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let server: ChildProcess;
let folder: string;
let connection: NatsConnection;
let manager: JetStreamManager;
let jetStream: JetStreamClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-wire-'));
  const port = await freePort();
  const command = process.env.TROUPE_NATS_SERVER ?? 'nats-server';
  server = spawn(command, ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' });
  const failed = new Promise<never>((_, reject) => server.once('error', reject));
  connection = await Promise.race([connectUntilUp(port), failed]);
  manager = await connection.jetstreamManager();
  jetStream = connection.jetstream();
});

afterAll(async () => {
  await connection?.close();
  server?.kill();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function connectUntilUp(port: number): Promise<NatsConnection> {
  return connect({
    servers: `127.0.0.1:${port}`,
    waitOnFirstConnect: true,
    reconnectTimeWait: 50,
    maxReconnectAttempts: 200,
  });
}

const PARTITIONS = 64;
const plain = Array.from({ length: 100 }, (_, i) => `user-${i * 7_919}`);
const strange = [
  ...[
    'john.doe@x.org',
    'a b',
    '*',
    '>',
    'a=b',
    '\t',
    '\u0000',
    '\u007f',
    '.',
    '..',
    '=2E',
    'x'.repeat(256),
    '.'.repeat(256),
  ],
  ...[
    'jörg',
    '名前',
    '😀',
    'nbsp\u00a0',
    'ls\u2028',
    'e\u0301',
    'é',
    'ü'.repeat(128),
    '\u0085',
    '\ufeffbom',
    '\ufffd',
    'שלום',
  ],
  ...Array.from({ length: 75 }, (_, i) => `${String.fromCodePoint(0xa1 + i * 743)}.${i}`),
];

describe.each(['troupe', 'acme.prod'])('a journal stream under the prefix %s', (prefix) => {
  const subjects = createSubjects(prefix);
  const stream = prefix.replace('.', '_');

  beforeAll(async () => {
    const { src, dest } = subjects.journalTransform(PARTITIONS);
    await manager.streams.add({ name: stream, subjects: subjects.journalSubjects(), subject_transform: { src, dest } });
  });

  test(`stores ${plain.length + strange.length} keys under the subject and partition that we compute`, async () => {
    for (const [i, key] of [...plain, ...strange].entries()) {
      const address = { type: i % 2 === 0 ? 'support' : 'order-2', key };
      const verb = (['task', 'signal', 'event'] as const)[i % 3]!;
      const { seq } = await jetStream.publish(subjects[verb](address), '');
      const { subject } = await manager.streams.getMessage(stream, { seq });
      const partition = partitionOf(address, PARTITIONS);
      expect(subject).toBe(subjects.stored(partition, verb, address));
      const keyToken = encodeKey(key);
      expect(subjects.parseStored(subject)).toEqual({ partition, verb, type: address.type, keyToken, matched: true });
    }
  });

  test.each(['task.support.john.doe', 'task.support', 'signal.a.b.c.d'])('keeps %s as it was', async (tail) => {
    const { seq } = await jetStream.publish(`${prefix}.${tail}`, '');
    const { subject } = await manager.streams.getMessage(stream, { seq });
    expect(subject).toBe(`${prefix}.${tail}`);
    expect(subjects.parseStored(subject)).toMatchObject({ partition: 0, matched: false });
  });

  test('the filters of all partitions together see every message once', async () => {
    let seen = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const filter_subjects = subjects.journalFilters(partition);
      const info = await manager.consumers.add(stream, { ack_policy: 'none' as never, filter_subjects });
      seen += info.num_pending;
    }
    expect(seen).toBe((await manager.streams.info(stream)).state.messages);
  });

  test('does not capture an event subject of another shape', async () => {
    await expect(jetStream.publish(`${prefix}.event.a.b.c`, '', { timeout: 500 })).rejects.toThrow();
  });
});
