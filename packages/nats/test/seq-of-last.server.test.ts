/** The newest entries of an actor among many of others, on a real server. */
import { connectNats, createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import type { Ports } from '@troupe/runtime';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const JOHN = { type: 'support', key: 'john' };
let server: NatsServerHandle;
let ports: Ports;
let seqs: number[];

beforeAll(async () => {
  server = await startNatsServer();
  const config = resolveConfig({ partitions: 2 });
  const connection = await connectNats({ servers: server.url });
  await provision(connection, config);
  ports = createNatsPorts(connection, config);
  // Crowded at the beginning, sparse towards the end.
  const others = Array.from({ length: 3_000 }, (_, i) => ({ type: 'support', key: `k${i % 40}` }));
  const targets = others.map((other, i) => (i < 600 || i % 9 === 0 ? JOHN : other));
  const stored = await Promise.all(targets.map((target) => ports.journal.append(target, { kind: 'tick' })));
  seqs = stored
    .filter((_, i) => targets[i] === JOHN)
    .map(({ seq }) => seq)
    .sort((a, b) => a - b);
});
afterAll(async () => {
  await ports.close();
  await server.close();
});

async function read(range: { fromSeq?: number; toSeq?: number; last: number }): Promise<number[]> {
  const found: number[] = [];
  for await (const { seq } of ports.journal.readActor(JOHN, range)) found.push(seq);
  return found;
}

test.each([1, 2, 63, 64, 65, 200, 500, 860, 5_000])('the last %i are found exactly', async (last) => {
  expect(seqs.length).toBe(600 + 267);
  expect(await read({ last })).toEqual(seqs.slice(-last));
});

test.each([
  [0, 300, 100],
  [100, 700, 5],
  [590, 610, 3],
  [0, 866, 1],
  [200, 210, 500],
])('and within a range: from %i to %i, the last %i', async (from, to, last) => {
  expect(await read({ fromSeq: seqs[from]!, toSeq: seqs[to]!, last })).toEqual(seqs.slice(from, to + 1).slice(-last));
});
