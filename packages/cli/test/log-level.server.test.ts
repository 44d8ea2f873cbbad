/** The level of one type of a live worker is turned up and falls back: real processes, a real server, a planted secret. */
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunningCommand, run } from './support/process.ts';
import { makeProject, type Project } from './support/project.ts';

const SECRET = 'hunter2-correct-horse';
const CONFIG = `
import { defineAgent, defineConfig, fail, reply } from '@troupe/agent';
import { fromPromise, setup } from 'xstate';
const machine = setup({ actors: {
  check: fromPromise(async ({ input }) => {
    if (input.password !== undefined) throw new Error('refused: ' + input.password);
    return 'fine';
  }),
} }).createMachine({ initial: 'idle', states: {
  idle: { on: { task: 'busy' } },
  busy: { invoke: { src: 'check', input: ({ event }) => event.input,
    onDone: { target: 'idle', actions: reply('ok') },
    onError: { target: 'idle', actions: fail({ code: 'CheckFailed', message: 'it was refused' }) } } },
} });
export default defineConfig({
  actors: ['door', 'gate'].map((type) => defineAgent({ type, version: 1, machine })),
  partitions: 4,
  logLevels: { gate: 'warn' },
});
`;

interface Line {
  readonly msg: string;
  readonly actor?: string;
  readonly trace?: string;
  readonly task?: string;
  readonly durationMs?: number;
  readonly [field: string]: unknown;
}

let server: NatsServerHandle;
let project: Project;
let worker: RunningCommand;
beforeAll(async () => {
  server = await startNatsServer();
  project = makeProject({ 'troupe.config.ts': CONFIG });
  worker = new RunningCommand(['worker', '--id', 'box', '--nats-url', server.url], {
    cwd: project.dir,
    env: { TROUPE_REPLY_PREFIXES: 'ops.answers' },
  });
  await eventually('the worker', async () => (await troupe('log-level')).code === 0);
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

const troupe = (...words: string[]) => run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: server.url } });

/** Debug lines of an actor so far. */
function linesOf(actor: string): Line[] {
  const lines = worker.stderr.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Line).filter((line) => line.actor === actor && line.level === 'debug');
}

async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = performance.now() + 40_000;
  while (!(await look())) {
    if (performance.now() > endAt) throw new Error(`${what} did not come within 40 s:\n${worker.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the log level of a live worker', () => {
  test('is its start value until somebody changes it: nothing is written of turns', async () => {
    const { stdout } = await troupe('log-level', '--json');
    expect(JSON.parse(stdout)).toEqual({ worker: 'box', levels: [{ level: 'info' }, { type: 'gate', level: 'warn' }] });
    expect((await troupe('ask', 'door/before', '{}')).code).toBe(0);
    expect(linesOf('door/before')).toEqual([]);
  });

  test('at debug shows the beginning, end and duration of each turn, step and effect of this type only', async () => {
    const { stdout } = await troupe('log-level', 'door', 'debug', '--for', '5m', '--json');
    const [, door] = (JSON.parse(stdout) as { levels: { type: string; level: string; untilMs: number }[] }).levels;
    expect(door).toEqual({ type: 'door', level: 'debug', untilMs: expect.any(Number) });
    expect(door!.untilMs - Date.now()).toBeLessThanOrEqual(300_000);
    expect((await troupe('ask', 'door/open', '{}')).code).toBe(0);
    expect((await troupe('ask', 'gate/open', '{}')).code).toBe(0);
    await eventually('the end of the turn', () => linesOf('door/open').some(({ msg }) => msg === 'turn ended'));
    const lines = linesOf('door/open');
    expect(lines.map(({ msg }) => msg)).toEqual([
      'step begins',
      'turn begins',
      'step ended',
      'effect begins',
      'effect ended',
      'step begins',
      'turn ended',
      'effect',
      'step ended',
    ]);
    expect(new Set(lines.map(({ trace }) => trace)).size).toBe(1);
    expect(new Set(lines.map(({ task }) => task)).size).toBe(1);
    for (const line of lines) {
      expect(line).toMatchObject({ type: 'door', key: 'open', seq: expect.any(Number), partition: expect.any(Number) });
      if (/ended$/.test(line.msg)) expect(line.durationMs).toBeGreaterThanOrEqual(0);
    }
    expect(linesOf('gate/open')).toEqual([]);
  });

  test('at debug shows failures, without the secret that their message repeats', async () => {
    const { stderr } = await troupe('ask', 'door/shut', JSON.stringify({ password: SECRET }));
    expect(stderr).toContain('it was refused');
    await eventually('the end of the turn', () => linesOf('door/shut').some(({ msg }) => msg === 'turn failed'));
    const lines = linesOf('door/shut');
    expect(lines.find(({ msg }) => msg === 'effect failed')).toMatchObject({
      src: 'check',
      error: { message: 'refused: [redacted]' },
    });
    expect(lines.find(({ msg }) => msg === 'turn failed')).toMatchObject({ code: 'CheckFailed' });
    expect(worker.stderr).not.toContain(SECRET);
  });

  test('falls back by itself, and at once when told to', async () => {
    const levels = async () => (JSON.parse((await troupe('log-level', '--json')).stdout) as { levels: unknown }).levels;
    await troupe('log-level', 'door', 'default');
    expect((await troupe('log-level', 'silent', '--for', '1s', '--worker', 'box')).code).toBe(0);
    await eventually('the fall back', async () => {
      const now = JSON.stringify(await levels());
      return now === JSON.stringify([{ level: 'info' }, { type: 'gate', level: 'warn' }]);
    });
    expect((await troupe('ask', 'door/after', '{}')).code).toBe(0);
    expect(linesOf('door/after')).toEqual([]);
  });

  test('and the profiler answer an operator whose inbox stands under a configured reply prefix', async () => {
    const env = { TROUPE_NATS_URL: server.url, TROUPE_NATS_INBOX_PREFIX: 'ops.answers.ann' };
    const asAnn = (...words: string[]) => run(words, { cwd: project.dir, env });
    const [levels, profile] = [await asAnn('log-level', '--json'), await asAnn('profile', 'start', '--json')];
    expect(JSON.parse(levels.stdout)).toMatchObject({ worker: 'box' });
    expect([profile.code, profile.stderr]).toEqual([0, '']);
    expect((await asAnn('profile', 'stop', '--out', project.dir)).code).toBe(0);
  });

  test('is refused for a type, a level or a worker that is not there', async () => {
    const [type, level, id] = await Promise.all([
      troupe('log-level', 'dor', 'debug'),
      troupe('log-level', 'loud'),
      troupe('log-level', 'debug', '--worker', 'bocks'),
    ]);
    expect(type.stderr).toContain('hosts no type "dor", but door, gate');
    expect([level.code, level.stderr]).toEqual([2, expect.stringContaining('"loud" is no level')]);
    expect(id.stderr).toContain('There is no worker "bocks"');
    expect(type.code).not.toBe(0);
    expect(id.code).not.toBe(0);
  });
});
