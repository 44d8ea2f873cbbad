/** "My name is John" ... "What is my name?", whatever is killed in between. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { World } from '@troupe/acceptance/internal';
import { connect } from '@troupe/client';
import { expect, test } from 'vitest';

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));

test('an agent knows John after another process asks, restarts and kills of worker and server', async () => {
  await using world = await World.start({ project: 'talkers' });
  const askName = () => world.troupe.actor('support', 'john').ask('What is my name?', { deadlineMs: 50_000 });
  expect(await world.troupe.actor('support', 'john').ask('My name is John')).toBe('Hello John.');

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [CLI, 'ask', 'support/john', 'What is my name?', '--nats-url', world.server.url],
    { timeout: 50_000 },
  );
  expect(stdout).toContain('John');
  expect(await askName()).toBe('John');

  await world.restartWorker();
  expect(await askName()).toBe('John');

  await world.crashWorker();
  expect(await askName()).toBe('John');

  await world.crashServer();
  expect(await askName()).toBe('John');

  await world.server.kill('SIGKILL');
  await world.worker.kill();
  await world.server.restart();
  await world.startWorker();
  expect(await askName()).toBe('John');

  await using stranger = await connect({ url: world.server.url });
  expect(await stranger.actor('support', 'mary').ask('What is my name?')).toBe("You haven't told me.");
}, 120_000);
