import {
  type Connection,
  connectNats,
  createNatsPorts,
  provision,
  resolveConfig,
  type ServerProcess,
  startServerProcess,
} from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import type { JournalReader, Ports } from '@troupe/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const PARTITIONS = 8;
const ACTORS = 40;
const payload = new Uint8Array(100);
let server: ServerProcess;
let connection: Connection;
let ports: Ports;
let api: JsApi;
let stream: string;
let count = 0;

/** What one partition was told. */
interface Read {
  readonly seqs: number[];
  readonly lost: string[];
  readonly reader: JournalReader;
}

beforeAll(async () => {
  server = await startServerProcess({});
});
afterAll(() => server.close());
beforeEach(async () => {
  const config = resolveConfig({
    prefix: `s${++count}`,
    partitions: PARTITIONS,
    journal: { bytesMax: 64 * 1024 * 1024 },
    snapshots: { bytesMax: 1024 * 1024 },
  });
  stream = config.journals[0]!.name;
  connection = await connectNats({ servers: server.url, waitMs: 5_000 });
  api = new JsApi(connection);
  await provision(connection, config);
  ports = createNatsPorts(connection, config);
});
afterEach(() => ports.close());

async function read(partition: number): Promise<Read> {
  const seqs: number[] = [];
  const lost: string[] = [];
  const reader = await ports.journal.read({
    partition,
    fromSeq: 1,
    onMessage: ({ seq }) => seqs.push(seq),
    onHead: () => undefined,
    onLost: (reason) => lost.push(reason),
  });
  return { seqs, lost, reader };
}

function readAll(): Promise<Read[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => read(partition)));
}

/** Publishes to all actors in turn. Resolves with what each partition got. */
async function publish(times: number): Promise<number[][]> {
  const stored: number[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let i = 0; i < times; i++) {
    const addresses = Array.from({ length: ACTORS }, (_, n) => ({ type: 'support', key: `a${n}` }));
    const acks = await Promise.all(addresses.map((one) => ports.journal.publish('task', one, payload, {})));
    acks.forEach(({ seq }, n) => {
      stored[ports.journal.partitionOf(addresses[n]!)]!.push(seq);
    });
  }
  return stored.map((seqs) => seqs.sort((a, b) => a - b));
}

async function consumers(): Promise<string[]> {
  return (await api.call<{ consumers: string[] | null }>(`CONSUMER.NAMES.${stream}`)).consumers ?? [];
}

function joined(...parts: number[][][]): number[][] {
  return Array.from({ length: PARTITIONS }, (_, partition) => parts.flatMap((part) => part[partition]!));
}

const seqsOf = (reads: readonly Read[]) => reads.map(({ seqs }) => seqs);
const POLL = { timeout: 10_000 };

describe('partitions that are read at the head', () => {
  test('share one consumer, and nothing is missed or repeated on the way there', async () => {
    const before = await publish(3);
    const reads = await readAll();
    const during = await publish(10);
    await expect.poll(consumers, POLL).toHaveLength(1);
    const after = await publish(3);
    await expect.poll(() => seqsOf(reads), POLL).toEqual(joined(before, during, after));
    expect(reads.flatMap(({ lost }) => lost)).toEqual([]);
  });

  test('go on by themselves when it is deleted, and share again', async () => {
    const reads = await readAll();
    await expect.poll(consumers, POLL).toHaveLength(1);
    const first = await publish(2);
    for (const name of await consumers()) await api.call(`CONSUMER.DELETE.${stream}.${name}`);
    const second = await publish(4);
    await expect.poll(() => seqsOf(reads), POLL).toEqual(joined(first, second));
    await expect.poll(consumers, POLL).toHaveLength(1);
  });

  test('are not held back by one that is paused', async () => {
    const reads = await readAll();
    await expect.poll(consumers, POLL).toHaveLength(1);
    const paused = ports.journal.partitionOf({ type: 'support', key: 'a0' });
    reads[paused]!.reader.pause();
    // More for it than is buffered.
    const stored = await publish(200);
    const others = reads.filter((_, partition) => partition !== paused);
    const expected = stored.filter((_, partition) => partition !== paused);
    await expect.poll(() => seqsOf(others), POLL).toEqual(expected);
    expect(reads[paused]!.seqs).toEqual([]);
    reads[paused]!.reader.resume();
    await expect.poll(() => seqsOf(reads), POLL).toEqual(stored);
    expect(reads.flatMap(({ lost }) => lost)).toEqual([]);
  });

  test('leave it one by one, and the last one takes it along', async () => {
    const reads = await readAll();
    await expect.poll(consumers, POLL).toHaveLength(1);
    const [last, ...others] = reads;
    await Promise.all(others.map(({ reader }) => reader.close()));
    const stored = await publish(2);
    await expect.poll(() => last!.seqs, POLL).toEqual(stored[0]);
    await last!.reader.close();
    await expect.poll(consumers, POLL).toEqual([]);
  });
});
