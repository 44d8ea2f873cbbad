/** Timers outlive workers, can be seen, and can be cancelled. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { World } from '@troupe/acceptance/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../src/configs/clocked.config.ts', import.meta.url));
const DAY_MS = 86_400_000;

let world: World;
beforeAll(async () => {
  world = await World.start({ project: 'clocked' });
});
afterAll(() => world[Symbol.asyncDispose]());

async function troupeCommand(...words: string[]): Promise<string> {
  const args = [CLI, ...words, '--nats-url', world.server.url, '--config', CONFIG];
  try {
    return (await promisify(execFile)(process.execPath, args, { timeout: 50_000 })).stdout;
  } catch (error) {
    throw new Error(`troupe ${words.join(' ')} failed: ${inspect(error)}`);
  }
}

test('a pending two seconds fire once though the worker was dead when they were due', async () => {
  const actor = world.troupe.actor('clocked', 'short');
  await actor.ask({ type: 'wait' });
  await world.worker.kill();
  await sleep(3_000);
  await world.startWorker();
  const fired = await actor.waitFor((state) => state.matches('late'), { timeoutMs: 30_000 });
  expect(fired.context).toMatchObject({ fired: 1 });
  await world.crashWorker();
  await sleep(2_500);
  const later = await actor.snapshot({ timeoutMs: 20_000 });
  expect(later.context).toMatchObject({ fired: 1 });
  expect(later.timers).toEqual([]);
}, 120_000);

test('one of a day survives restarts, is visible, and is cancelled by leaving the state', async () => {
  const actor = world.troupe.actor('clocked', 'long');
  await actor.ask({ type: 'waitLong' });
  const [timer] = (await actor.snapshot({ timeoutMs: 20_000 })).timers;
  expect(timer!.dueAt).toBeGreaterThan(Date.now() + DAY_MS - 60_000);

  await world.crashWorker();
  await world.restartWorker();
  await world.crashServer();
  expect((await actor.snapshot({ timeoutMs: 20_000 })).timers).toEqual([timer]);
  expect(await actor.query('timers', {}, { timeoutMs: 20_000 })).toEqual({ timers: [timer] });
  expect(await troupeCommand('timers', 'ls', 'clocked/long')).toContain(timer!.id);
  expect(await troupeCommand('timers', 'ls')).toContain('clocked/long');
  expect(await troupeCommand('state', 'show', 'clocked/long', '--json')).toContain(timer!.id);

  expect(await actor.ask({ type: 'leave' })).toBe('left');
  expect((await actor.snapshot({ timeoutMs: 20_000 })).timers).toEqual([]);
  await world.crashWorker();
  expect((await actor.snapshot({ timeoutMs: 20_000 })).timers).toEqual([]);
}, 120_000);

test('one of a day is cancelled by an operator, and stays so', async () => {
  const actor = world.troupe.actor('clocked', 'operated');
  await actor.ask({ type: 'waitLong' });
  await world.crashWorker();
  const [timer] = (await actor.snapshot({ timeoutMs: 20_000 })).timers;
  await troupeCommand('timers', 'cancel', 'clocked/operated', timer!.id);
  expect((await actor.snapshot({ timeoutMs: 20_000 })).timers).toEqual([]);
  expect((await actor.snapshot({ timeoutMs: 20_000 })).value).toBe('waitingLong');
  await world.crashWorker();
  expect((await actor.snapshot({ timeoutMs: 20_000 })).timers).toEqual([]);
  expect(await troupeCommand('timers', 'ls')).not.toContain('clocked/operated');
}, 120_000);
