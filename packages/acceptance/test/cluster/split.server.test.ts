import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster.ts';

let cluster: Cluster;
const STREAMS = ['TROUPE_JOURNAL', 'TROUPE_JOURNAL_1'];

beforeAll(async () => {
  cluster = await Cluster.start({ partitions: 8, journalStreams: 2 });
  await cluster.launchWorker({ project: 'load' }).ready();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

test('one type spread over two journals by hash: each actor lives in one of them, and clients notice nothing', async () => {
  const troupe = await cluster.client();
  const keys = Array.from({ length: 24 }, (_, at) => `actor-${at}`);
  const counts = await Promise.all(
    keys.flatMap((key) => [0, 1].map((task) => troupe.actor('ledger', key).ask(task, { deadlineMs: 30_000 }))),
  );
  expect(counts.toSorted()).toEqual([...new Array(24).fill(1), ...new Array(24).fill(2)]);
  const operator = await cluster.connectAs('operator');
  const api = new JsApi(operator);
  const ports = createNatsPorts(operator, cluster.config);
  const found = new Map<string, number>();
  for (const [at, stream] of STREAMS.entries()) {
    for await (const subject of api.subjects(stream, 'troupe.journal.>')) {
      const [, , partition, , , key] = subject.split('.');
      expect(Number(partition)).toBe(ports.journal.partitionOf({ type: 'ledger', key: key! }));
      expect(Number(partition) % 2).toBe(at);
      expect(found.get(key!) ?? at).toBe(at);
      found.set(key!, at);
    }
  }
  expect([...found.keys()].sort()).toEqual(keys.toSorted());
  expect(new Set(found.values()).size).toBe(2);
  await ports.close();
});

test('the command line works with the variables of its user: a client asks, an operator has everything checked', async () => {
  const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
  const troupe = (user: string, ...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, ...cluster.envOf(user) },
      timeout: 50_000,
    });
  expect((await troupe('client', 'ask', 'ledger/typed', '0')).stdout).toBe('1\n');
  // Folding needs definitions, and the disks of the servers can't be seen from here: that would be said, as "unknown".
  const limits = ['--max-delay', '10s', '--max-response', '10s'];
  const words = ['doctor', '--json', '--skip', 'disk,consistency', ...limits];
  const { checks } = JSON.parse((await troupe('operator', ...words)).stdout) as {
    checks: { check: string; status: string; message: string }[];
  };
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  const journals = checks.filter(({ check }) => check.includes('JOURNAL'));
  expect(journals.map(({ message }) => message)).toEqual([
    expect.stringContaining('3 replicas'),
    expect.stringContaining('3 replicas'),
  ]);
});

test('a subject with too many tokens still gets its dead letter', async () => {
  const client = await cluster.connectAs('client');
  const operator = await cluster.connectAs('operator');
  const api = new JsApi(operator);
  const ack = await api.publishOnce('troupe.task.ledger.too.many', new Uint8Array([0x31]), undefined, 10_000);
  expect(ack.ok).toBe(true);
  await expect
    .poll(async () => (await api.streamInfo('TROUPE_DEAD'))?.state.messages ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(0);
  await client.close();
  await operator.close();
});

test.each([
  [
    'another count of partitions',
    { partitions: 16, journalStreams: 2 },
    /maps subjects to other partitions|takes the partitions/,
  ],
  ['another count of streams', { partitions: 8, journalStreams: 4 }, /takes the partitions/],
  ['one stream only', { partitions: 8 }, /partitions/],
  [
    'a prefix that the servers do not map',
    { partitions: 8, journalStreams: 2, prefix: 'other' },
    /does not map|denied|not allowed/,
  ],
])('%s than the cluster was made with is refused, and changes nothing', async (_, options, message) => {
  const operator = await cluster.connectAs('operator');
  const api = new JsApi(operator);
  const before = await Promise.all(STREAMS.map(async (stream) => (await api.streamInfo(stream))?.config));
  const wanted = resolveConfig({ replicas: 3, ...options });
  await expect(provision(operator, wanted)).rejects.toThrow(message);
  expect(await Promise.all(STREAMS.map(async (stream) => (await api.streamInfo(stream))?.config))).toEqual(before);
  await operator.close();
});
