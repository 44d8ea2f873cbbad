import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster.ts';
import { changesOf, judge, Load, proveCluster, readOwnership, startWorkers } from '../../src/proofs/cluster-proof.ts';
import { chooseSeed } from '../../src/random.ts';

/** `npm run proof -- cluster` kills twenty times. */
const KILLS = 2;

test('servers killed under load, the leader of a journal split by hash included: nothing acknowledged is lost or doubled', async () => {
  const seed = chooseSeed();
  const lines: string[] = [`seed ${seed}`];
  const result = await proveCluster({
    kills: KILLS,
    workers: 2,
    callers: 6,
    journalStreams: 2,
    seed,
    log: (line) => lines.push(line),
  });
  expect(result.violations, lines.join('\n')).toEqual([]);
  expect(result.leaderKills).toBeGreaterThan(0);
  expect(result.acknowledged).toBeGreaterThan(KILLS);
}, 240_000);

describe('a cluster at work', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
    await startWorkers(cluster, 2);
  }, 120_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('each server restarted in turn, as an upgrade does: no partition is taken over, and nothing is lost', async () => {
    const troupe = await cluster.client();
    const before = await readOwnership(cluster);
    const load = new Load(troupe, 4, 'upgrade');
    for (const server of cluster.servers) {
      await server.restart();
      await cluster.settled();
      await load.goesOn();
    }
    expect(await judge(troupe, await load.stop())).toEqual([]);
    expect(changesOf(before, await readOwnership(cluster)), cluster.log).toBe(0);
  }, 180_000);

  test('all three killed at once: when they are back, everything acknowledged is there', async () => {
    const troupe = await cluster.client();
    const load = new Load(troupe, 4, 'all');
    await load.goesOn();
    await Promise.all(cluster.servers.map((server) => server.kill('SIGKILL')));
    await Promise.all(cluster.servers.map((server) => server.restart()));
    await cluster.settled();
    await load.goesOn();
    expect(await judge(troupe, await load.stop())).toEqual([]);
  }, 120_000);

  test('a server that lost its disk gets everything back from the others, and is as good as they are', async () => {
    const troupe = await cluster.client();
    const load = new Load(troupe, 4, 'disk');
    await load.goesOn();
    const [first, second, third] = cluster.servers;
    await first!.kill('SIGKILL');
    rmSync(first!.storeDir, { recursive: true });
    await first!.restart();
    await cluster.settled();
    await load.goesOn();
    // Now it has to be one of the two that hold everything.
    await second!.restart();
    await cluster.settled();
    await load.goesOn();
    await third!.restart();
    await cluster.settled();
    expect(await judge(troupe, await load.stop())).toEqual([]);
  }, 180_000);

  test('a client that was told of one server goes on through those that the cluster told it of', async () => {
    const [first] = cluster.servers;
    const troupe = await cluster.client('client', { url: `tls://127.0.0.1:${first!.port}` });
    const actor = troupe.actor('ledger', 'discovering');
    expect(await actor.ask(0)).toBe(1);
    await first!.kill('SIGKILL');
    expect(await actor.ask(1, { deadlineMs: 45_000 })).toBe(2);
    await first!.restart();
    await cluster.settled();
  }, 120_000);

  test('a worker that was told of one server goes on through the others', async () => {
    const [, second] = cluster.servers;
    const before = cluster.workers.length;
    const url = `tls://127.0.0.1:${second!.port}`;
    const worker = cluster.launchWorker({ project: 'load', natsUrl: url, env: { TROUPE_NATS_URL: url } });
    await worker.ready();
    // A client that has been answered once waits for an election; before that it would say that nobody is there.
    const troupe = await cluster.client('client', { url: `tls://127.0.0.1:${cluster.servers[0]!.port}` });
    expect(await troupe.actor('ledger', 'warm').ask(0, { deadlineMs: 20_000 })).toBe(1);
    await second!.kill('SIGKILL');
    const counts = await Promise.all(
      Array.from({ length: 16 }, (_, at) => troupe.actor('ledger', `moved-${at}`).ask(0, { deadlineMs: 45_000 })),
    );
    expect(counts).toEqual(new Array(16).fill(1));
    expect(worker.running, worker.log).toBe(true);
    expect(cluster.workers.length).toBe(before + 1);
    await second!.restart();
    await cluster.settled();
    await worker.stop();
  }, 180_000);
});
