/**
 * What the ports cost, on a nats-server of its own: `node packages/nats/bench/ports.ts [seconds per figure]`. Prints one
 * line per figure. Server, client and bench share the machine, so compare within one run.
 */
import { connectNats, createNatsPorts, provision, resolveConfig, startServerProcess } from '@troupe/nats';
import type { Ports } from '@troupe/runtime';
import type { ActorAddress } from '@troupe/wire';
import { measureClientPublish } from './client-publish.ts';

const SECONDS = Number(process.argv[2] ?? 2);
const CALLERS = [1, 64, 512];
const payload = new Uint8Array(200).fill(120);

await using server = await startServerProcess({});
const connection = await connectNats({ servers: server.url, waitMs: 5_000 });
const config = resolveConfig({});
await provision(connection, config);
const ports = createNatsPorts(connection, config);

for (const callers of CALLERS) {
  report(`publish with ack, ${callers} callers`, await rate(callers, (i) => publish(ports, i)), '/s');
}
for (const callers of CALLERS) {
  report(
    `the same by the client's js.publish, ${callers} callers`,
    await measureClientPublish(server.url, callers, SECONDS),
    '/s',
  );
}
await readAll(ports);
await wake(ports);
await open(ports);
await ports.close();

/** Calls per second of `callers` at once, each calling again when answered. */
async function rate(callers: number, call: (caller: number) => Promise<unknown>): Promise<number> {
  let count = 0;
  const startedAt = performance.now();
  const endAt = startedAt + SECONDS * 1_000;
  const loop = async (caller: number): Promise<void> => {
    while (performance.now() < endAt) {
      await call(caller);
      count++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, i) => loop(i)));
  return (count / (performance.now() - startedAt)) * 1_000;
}

function publish({ journal }: Ports, caller: number): Promise<unknown> {
  return journal.publish('task', actor(caller), payload, { 'Content-Type': 'application/json' });
}

function actor(i: number): ActorAddress {
  return { type: 'support', key: `session-${i}` };
}

/** All partitions at once, everything stored so far. */
async function readAll({ journal }: Ports): Promise<void> {
  const { messages } = await journal.info();
  let read = 0;
  let sum = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const readers = await Promise.all(
    Array.from({ length: journal.partitions }, (_, partition) =>
      journal.read({
        partition,
        fromSeq: 1,
        onMessage: (message) => {
          sum += message.payload.length + (message.header('Content-Type')?.length ?? 0);
          if (++read === messages) resolve();
        },
        onHead: () => undefined,
        onLost: (reason) => report(`lost: ${reason}`, 0, ''),
      }),
    ),
  );
  await promise;
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  report(`read ${messages} entries, ${journal.partitions} readers, one header each`, (read / ms) * 1_000, '/s');
  report('  process time per entry', (user + system) / read, ' us');
  await Promise.all(readers.map((reader) => reader.close()));
  if (sum === 0) throw new Error('nothing was read');
}

/** Snapshot of 3.5 KB: what waking an actor costs. */
async function wake({ snapshots }: Ports): Promise<void> {
  const bytes = new Uint8Array(3_500).fill(120);
  for (let i = 0; i < 200; i++) await snapshots.save(i % 64, actor(i), { seq: i, count: i, hash: 'h', bytes }, 0);
  const latencies: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const startedAt = performance.now();
    await snapshots.load((i % 200) % 64, actor(i % 200));
    latencies.push(performance.now() - startedAt);
  }
  latencies.sort((a, b) => a - b);
  report('snapshot load, 3.5 KB, p50', latencies[1_000]!, ' ms');
  report('snapshot load, 3.5 KB, p99', latencies[1_980]!, ' ms');
  report('snapshot loads, 64 at once', await rate(64, (i) => snapshots.load(i % 64, actor(i))), '/s');
  report('snapshot saves, 64 at once, to new actors', await saves(snapshots, bytes), '/s');
}

async function saves(snapshots: Ports['snapshots'], bytes: Uint8Array): Promise<number> {
  let i = 0;
  return rate(64, () => {
    const key = `fresh-${++i}`;
    return snapshots.save(i % 64, { type: 'support', key }, { seq: i, count: i, hash: 'h', bytes }, 0);
  });
}

/** What a worker does when it takes over everything. */
async function open({ journal, ticks }: Ports): Promise<void> {
  const all = Array.from({ length: journal.partitions }, (_, partition) => partition);
  const none = { onMessage: () => undefined, onHead: () => undefined, onLost: () => undefined };
  const head = (await journal.info()).lastSeq + 1;
  let startedAt = performance.now();
  const readers = await Promise.all(all.map((partition) => journal.read({ partition, fromSeq: head, ...none })));
  report(`open ${all.length} journal readers`, performance.now() - startedAt, ' ms');
  startedAt = performance.now();
  const tickReaders = await Promise.all(all.map((partition) => ticks.read(partition, () => undefined)));
  report(`open ${all.length} tick readers`, performance.now() - startedAt, ' ms');
  startedAt = performance.now();
  await Promise.all(all.map((partition) => journal.headSeq(partition)));
  report(`${all.length} head sequences`, performance.now() - startedAt, ' ms');
  await Promise.all([...readers, ...tickReaders].map((reader) => reader.close()));
}

function report(what: string, figure: number, unit: string): void {
  process.stdout.write(`${what.padEnd(64)} ${figure >= 100 ? Math.round(figure) : figure.toFixed(3)}${unit}\n`);
}
