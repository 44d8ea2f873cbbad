import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { backupStreams, restoreStreams } from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import { expect, test } from 'vitest';
import { Cluster } from '../../src/cluster.ts';
import { judge, Load } from '../../src/proofs/cluster-proof.ts';

const SCRIPT = fileURLToPath(new URL('../../../../infra/streams.ts', import.meta.url));

function operate(cluster: Cluster, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, ...cluster.envOf('operator') };
  return promisify(execFile)(process.execPath, [SCRIPT, ...args], { env, timeout: 60_000 });
}

test('a copy taken under load brings back into an empty cluster every task acknowledged before it, and the work goes on', async () => {
  await using cluster = await Cluster.start({ provision: false });
  expect((await operate(cluster, 'provision')).stdout).toContain('as they should be');
  const worker = await cluster.launchWorker({ project: 'load' }).ready();
  const troupe = await cluster.client();
  const early = new Load(troupe, 4, 'early');
  await early.goesOn();
  await early.goesOn();
  const records = await early.stop();
  const ongoing = new Load(troupe, 2, 'ongoing');
  await ongoing.goesOn();
  const folder = join(cluster.dir, 'backup');
  const { stdout } = await operate(cluster, 'backup', folder);
  expect(stdout).toMatch(/TROUPE_JOURNAL: [1-9]\d* messages/);
  expect(statSync(join(folder, 'TROUPE_JOURNAL', 'stream.tar.s2')).mode & 0o777).toBe(0o600);
  await ongoing.stop();
  await worker.stop();

  const operator = await cluster.connectAs('operator');
  const api = new JsApi(operator);
  await expect(restoreStreams(operator, cluster.config, folder)).rejects.toMatchObject({ code: 'StreamMismatch' });
  await expect(backupStreams(operator, cluster.config, folder)).rejects.toMatchObject({ code: 'ConfigInvalid' });
  for (const stream of [...cluster.config.journals.map(({ name }) => name), ...Object.values(cluster.config.streams)]) {
    if ((await api.streamInfo(stream)) !== undefined) await api.call(`STREAM.DELETE.${stream}`);
  }
  expect((await operate(cluster, 'restore', folder)).stdout).toContain('TROUPE_JOURNAL');
  await cluster.settled();
  const restored = await api.streamInfo('TROUPE_JOURNAL');
  expect(restored?.config.num_replicas).toBe(3);
  await operator.close();

  await cluster.launchWorker({ project: 'load' }).ready();
  expect(await judge(troupe, records)).toEqual([]);
  const first = records[0]!;
  expect(await troupe.actor('ledger', first.key).ask(first.sent.length, { deadlineMs: 30_000 })).toBe(
    first.sent.length + 1,
  );
}, 240_000);
