/** The script of a storm, its report, and the lines that it cuts. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Link } from '../../src/link.ts';
import { FAULTS, stormPlan } from '../../src/proofs/storm/plan.ts';
import { quantile, type StormReport, stormChart, stormTable } from '../../src/proofs/storm/report.ts';
import { createRandom } from '../../src/random.ts';

const planned = (seed: number, count: number) => {
  const plan = stormPlan(createRandom(seed), 4, 3);
  return Array.from({ length: count }, () => plan.next().value);
};

test('a seed decides the whole script; each round has every kind, and a worker is frozen for longer than its lease', () => {
  expect(planned(3, 70)).toEqual(planned(3, 70));
  expect(planned(3, 7)).not.toEqual(planned(4, 7));
  for (const seed of [1, 2, 3]) {
    const faults = planned(seed, 700);
    for (let at = 0; at < faults.length; at += FAULTS.length)
      expect(new Set(faults.slice(at, at + FAULTS.length).map(({ kind }) => kind)).size).toBe(FAULTS.length);
    for (const { kind, forMs, victim, alsoKilled } of faults) {
      if (kind === 'worker frozen') expect(forMs).toBeGreaterThan(15_000);
      expect(alsoKilled).not.toBe(victim);
    }
    expect(faults.some(({ alsoKilled }) => alsoKilled !== undefined)).toBe(true);
  }
});

test('the report tells the median and the longest recovery of each kind, as a table and as a chart', () => {
  const fault = { victim: 0, forMs: 0, pauseMs: 0, longestWaitMs: 2_500 };
  const report: StormReport = {
    seed: 1,
    workers: 4,
    seconds: 4,
    faults: [
      { ...fault, kind: 'worker killed', atMs: 500, recoveryMs: 1_000 },
      { ...fault, kind: 'worker killed', atMs: 2_000, recoveryMs: 3_000 },
      { ...fault, kind: 'link cut', atMs: 3_000, recoveryMs: undefined },
    ],
    answeredAtMs: [10, 20, 1_500, 3_999],
    acknowledged: 4,
    unknown: 0,
    deliveries: 0,
    repeats: 0,
    unknownCalls: 0,
    violations: [],
  };
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(stormTable(report)).toContain('| worker killed | 2 | 1.0 | 3.0 | 2.5 |');
  const chart = stormChart(report);
  expect(chart.match(/<circle/g)).toHaveLength(2);
  expect(chart.match(/class="fault"/g)).toHaveLength(3);
  expect(chart).not.toMatch(/NaN|undefined/);
});

test('a line passes bytes on in order; cut, it ends connections and refuses new ones; healed, it takes them again', async () => {
  const heard: Buffer[] = [];
  const far: Socket[] = [];
  const server = createServer((socket) => {
    far.push(socket);
    socket.on('error', () => undefined).on('data', (data) => heard.push(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = await Link.open((server.address() as { port: number }).port);
  const open = async (): Promise<Socket> => {
    const socket = connect(link.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const arrived = async (text: string): Promise<void> => {
    while (Buffer.concat(heard).toString() !== text) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const socket = await open();
  socket.write('one ');
  await arrived('one ');
  link.delay(20);
  socket.write('two ');
  await new Promise((resolve) => setTimeout(resolve, 5));
  link.heal();
  socket.write('three ');
  await arrived('one two three ');
  link.silence();
  socket.write('four');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(Buffer.concat(heard).toString()).toBe('one two three ');
  link.heal();
  await arrived('one two three four');
  const closed = once(socket, 'close');
  link.cut();
  await closed;
  expect(link.connections).toBe(0);
  const refused = await open();
  await once(refused, 'close');
  link.heal();
  const again = await open();
  again.write('!');
  await arrived('one two three four!');
  again.destroy();
  await link.close();
  for (const one of far) one.destroy();
  server.close();
});
