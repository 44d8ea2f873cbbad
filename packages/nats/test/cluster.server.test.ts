import { createServer } from 'node:net';
import {
  connectNats,
  createNatsPorts,
  provision,
  resolveConfig,
  type ServerProcess,
  startServerProcess,
} from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import type { Ports } from '@troupe/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const john = { type: 'support', key: 'john' };
const MIB = 1024 * 1024;
const config = resolveConfig({
  replicas: 3,
  journal: { bytesMax: 64 * MIB },
  snapshots: { bytesMax: 64 * MIB },
  deadLetters: { bytesMax: 16 * MIB },
});
let servers: ServerProcess[];
const open: Ports[] = [];

beforeAll(async () => {
  const routes = await freePorts(3);
  const list = routes.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  servers = await Promise.all(
    routes.map((port, i) =>
      startServerProcess({
        name: `n${i}`,
        config: `cluster { name: c, listen: "127.0.0.1:${port}", routes: [${list}] }`,
      }),
    ),
  );
  const connection = await connectNats({ servers: urls(), waitMs: 20_000 });
  await vi.waitFor(() => provision(connection, config), { timeout: 40_000, interval: 500 });
  await connection.close();
});
afterAll(async () => {
  for (const ports of open) await ports.close();
  for (const server of servers) await server.close();
});

function urls(): string[] {
  return servers.map(({ url }) => url);
}

async function worker(): Promise<Ports> {
  const ports = createNatsPorts(await connectNats({ servers: urls(), waitMs: 10_000 }), config);
  open.push(ports);
  return ports;
}

async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = held.map((server) => (server.address() as { port: number }).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

describe('three replicas', () => {
  test('two writers that only ever add one lose nothing and gain nothing', async () => {
    const workers = [await worker(), await worker()];
    const perWorker = 40;
    const add = async ({ records }: Ports): Promise<void> => {
      for (let done = 0; done < perWorker; ) {
        const read = await records.get('counter');
        const value = ((read?.value as number | undefined) ?? 0) + 1;
        const saved = await records.put('counter', value, { expectedRevision: read?.revision ?? 0 });
        if (saved.kind === 'saved') done++;
      }
    };
    await Promise.all(workers.map(add));
    expect((await workers[0]!.records.get('counter'))!.value).toBe(2 * perWorker);
  });

  test('many writes to one subject at once are told apart: one saves, the others conflict, none fails', async () => {
    const ports = await worker();
    for (let round = 0; round < 5; round++) {
      const key = `claim.${round}`;
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => ports.records.put(key, i, { expectedRevision: 0 })),
      );
      expect(results.filter(({ kind }) => kind === 'saved').length).toBe(1);
    }
  });

  test('after the death of the leader everything acknowledged is there, and readers go on', async () => {
    const ports = await worker();
    const partition = ports.journal.partitionOf(john);
    const seqs: number[] = [];
    const lost: string[] = [];
    await ports.journal.read({
      partition,
      fromSeq: 1,
      onMessage: ({ seq }) => seqs.push(seq),
      onHead: () => undefined,
      onLost: (reason) => lost.push(reason),
    });
    const acknowledged: number[] = [];
    for (let i = 0; i < 50; i++) acknowledged.push((await ports.journal.append(john, { kind: 'tick' })).seq);
    const dead = await killLeader();
    const endAt = Date.now() + 30_000;
    for (let i = 0; i < 50 && Date.now() < endAt; ) {
      const seq = await ports.journal.append(john, { kind: 'tick' }).then(
        ({ seq: s }) => s,
        () => 0,
      );
      if (seq === 0) continue;
      acknowledged.push(seq);
      i++;
    }
    expect(acknowledged.length).toBe(100);
    await expect.poll(() => seqs.at(-1) ?? 0, { timeout: 20_000 }).toBeGreaterThanOrEqual(acknowledged.at(-1)!);
    expect(lost).toEqual([]);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(acknowledged.filter((seq) => !seqs.includes(seq))).toEqual([]);
    await dead.restart();
  });
});

async function killLeader(): Promise<ServerProcess> {
  const connection = await connectNats({ servers: urls(), waitMs: 10_000 });
  const info = (await new JsApi(connection).streamInfo('TROUPE_JOURNAL')) as unknown as { cluster: { leader: string } };
  await connection.close();
  const leader = servers[Number(info.cluster.leader.slice(1))]!;
  await leader.kill('SIGKILL');
  return leader;
}
