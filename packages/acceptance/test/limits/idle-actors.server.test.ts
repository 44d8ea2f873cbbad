/** Idle actors cost a worker next to nothing. `TROUPE_PROOF=full` proves it for 100,000, else it is 20,000. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, type Troupe } from '@troupe/client';
import { connectNats, provision, resolveConfig } from '@troupe/nats';
import { startNatsServer } from '@troupe/testing';
import { afterEach, expect, test } from 'vitest';
import { until } from '../hostile/support/stage.ts';
import type { Measured } from './support/idle-worker.ts';

const ACTORS = process.env.TROUPE_PROOF === 'full' ? 100_000 : 20_000;
const BYTES_EACH_MAX = 200;
/** Buffers, compiled code and consumers are there before anything is measured. */
const WARM_UP = 10_000;
const ROUNDS_MAX = 8;
const SETTLED_BYTES = 300_000;
const AT_ONCE = 256;

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

async function answer<T>(question: string): Promise<T> {
  child!.send(question);
  const [message] = (await once(child!, 'message')) as [T];
  return message;
}

async function visit(troupe: Troupe, name: string, count: number): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count)
      await troupe.actor('counter', `${name}-${next++}`).ask('a task of some bytes', { named: false });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
}

const allUnloaded = () =>
  until(async () => (await answer<{ resident: number }>('resident')).resident === 0, 120_000, 200);

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

test(`${ACTORS.toLocaleString('en')} idle actors take less than ${BYTES_EACH_MAX} bytes of the worker's memory each`, async () => {
  await using server = await startNatsServer();
  const admin = await connectNats({ servers: server.url });
  await provision(admin, resolveConfig({ partitions: 16 }));
  await admin.close();
  child = fork(fileURLToPath(new URL('./support/idle-worker.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--max-semi-space-size=1'],
    env: { ...process.env, NODE_OPTIONS: '', MALLOC_ARENA_MAX: '1', TROUPE_NATS_URL: server.url },
  });
  await once(child, 'message');
  await using troupe = await connect({ url: server.url });

  // Until the same number of new actors takes no more pages: what is left is what each one costs.
  let before = await answer<Measured>('measure');
  const rounds: string[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await visit(troupe, `warm-${round}`, WARM_UP);
    expect(await allUnloaded()).toBe(true);
    const now = await answer<Measured>('measure');
    const grownBytes = now.rss - before.rss;
    rounds.push(`${(grownBytes / 1_048_576).toFixed(1)}`);
    before = now;
    if (grownBytes < SETTLED_BYTES) break;
  }
  // As many at a time as before, so that it is idle actors that are measured, not more busy ones. A page here and there is
  // noise, and the same however many there are: what actors cost grows with them, so more of them tell it apart.
  let idle = 0;
  let after = before;
  let rssEach = Number.POSITIVE_INFINITY;
  while (idle < ACTORS || (rssEach >= BYTES_EACH_MAX && idle < ACTORS * 3)) {
    await visit(troupe, `idle-${idle / WARM_UP}`, WARM_UP);
    expect(await allUnloaded()).toBe(true);
    idle += WARM_UP;
    if (idle < ACTORS) continue;
    after = await answer<Measured>('measure');
    rssEach = (after.rss - before.rss) / idle;
  }
  const heldEach = (after.held - before.held) / idle;
  const wakes: number[] = [];
  const warm: number[] = [];
  for (let i = 0; i < 200; i++) {
    const actor = troupe.actor('counter', `idle-${i % (ACTORS / WARM_UP)}-${i}`);
    for (const into of [wakes, warm]) {
      const startedAt = performance.now();
      await actor.ask('wake up', { named: false });
      into.push(performance.now() - startedAt);
    }
  }
  process.stdout.write(
    `${idle} idle actors: ${rssEach.toFixed(1)} bytes resident and ${heldEach.toFixed(1)} bytes held each; ` +
      `grown by ${rounds.join(', ')} MiB before; a cold one answers in ${median(wakes).toFixed(2)} ms, a warm one in ${median(warm).toFixed(2)} ms (medians)\n`,
  );
  expect(after.resident).toBe(0);
  expect(heldEach).toBeLessThan(BYTES_EACH_MAX);
  expect(rssEach).toBeLessThan(BYTES_EACH_MAX);
}, 600_000);
