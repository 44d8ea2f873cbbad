/** A live worker among several processes is profiled: real processes, a real server, work that costs time. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunningCommand, run } from './support/process.ts';
import { makeProject, type Project } from './support/project.ts';

const CONFIG = `
import { defineAgent, defineConfig, reply } from '@troupe/agent';
import { assign, setup } from 'xstate';
const grind = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += Math.sqrt(i); return sum; };
const machine = setup({ actions: {
  slow: assign({ n: ({ event }) => grind(event.input) }),
  quick: assign({ m: () => 1 }),
} }).createMachine({ context: { n: 0, m: 0 }, on: { task: { actions: ['quick', 'slow', reply(({ context }) => context.n > 0)] } } });
export default defineConfig({ actors: [defineAgent({ type: 'grinder', version: 1, machine })], partitions: 4 });
`;

let project: Project;
let dev: RunningCommand;
let pool: RunningCommand;
let env: Record<string, string>;
let ids: readonly string[] = [];
beforeAll(async () => {
  project = makeProject({ 'troupe.config.ts': CONFIG });
  dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
  const url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
  env = { TROUPE_NATS_URL: url };
  await dev.until(/ ready\n/);
  pool = new RunningCommand(['worker', '--processes', '2', '--id', 'box', '--nats-url', url], { cwd: project.dir });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await dev.stop();
  project[Symbol.dispose]();
});

const troupe = (...words: string[]) => run(words, { cwd: project.dir, env });

interface Row {
  readonly name: string;
  readonly totalMs: number;
  readonly selfMs: number;
}
interface Answer {
  readonly files: readonly string[];
  readonly report: { readonly types: readonly Row[]; readonly parts: readonly Row[]; readonly bySelf: readonly Row[] };
}

/** The worker that owns something and answers to a profile. */
async function workers(): Promise<string[]> {
  const { stdout } = await troupe('workers', '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

describe('a profile', () => {
  test('of each worker says which types and actions the time went to, in files of their owner only', async () => {
    const endAt = performance.now() + 40_000;
    while (ids.length < 3 && performance.now() < endAt) ids = await workers();
    expect(ids).toHaveLength(3);
    const started = await Promise.all(ids.map((id) => troupe('profile', 'start', id)));
    expect(started.map(({ code }) => code)).toEqual([0, 0, 0]);
    const again = await troupe('profile', 'start', ids[0]!);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('runs already')]);
    for (const key of ['a', 'b']) await troupe('ask', `grinder/${key}`, '30000000', '--deadline', '40s');
    const found: Answer[] = [];
    for (const id of ids) {
      const { stdout, stderr } = await troupe('profile', 'stop', id, '--out', `out-${id}`, '--json');
      if (stdout === '') throw new Error(stderr);
      found.push(JSON.parse(stdout) as Answer);
    }
    const busy = found.filter(({ report }) => report.types.some(({ name }) => name === 'grinder'));
    expect(busy.length).toBeGreaterThan(0);
    const { report, files } = busy.sort((a, b) => b.report.types[0]!.totalMs - a.report.types[0]!.totalMs)[0]!;
    expect(report.parts[0]!.name).toMatch(/^grinder action slow/);
    expect(report.parts[0]!.totalMs).toBeGreaterThan(report.types[0]!.totalMs / 2);
    expect(report.bySelf.some(({ name }) => name.startsWith('grind '))).toBe(true);
    expect(files.map((path) => path.replace(/.*\.(\w+)$/, '$1')).sort()).toEqual(['cpuprofile', 'heapprofile', 'html']);
    for (const path of files) expect(statSync(path).mode & 0o777).toBe(0o600);
    const cpu = JSON.parse(readFileSync(files.find((path) => path.endsWith('.cpuprofile'))!, 'utf8'));
    expect(cpu.samples.length).toBeGreaterThan(10);
    expect(readFileSync(files.find((path) => path.endsWith('.html'))!, 'utf8')).toContain('steps of grinder');
  });

  test('run takes its time and prints what it found; a worker that is not there is refused', async () => {
    const [id] = ids;
    const { code, stdout, stderr } = await troupe('profile', 'run', id!, '--seconds', '1');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Functions, by their own time');
    expect(existsSync(join(project.dir, 'troupe-profile'))).toBe(true);
    expect((await troupe('profile', 'run', 'nobody')).stderr).toContain('There is no worker');
  });

  test('of the heap is a snapshot that is whole', async () => {
    const [id] = ids;
    const { stdout } = await troupe('profile', 'heap', id!, '--out', 'heap', '--json');
    const { files } = JSON.parse(stdout) as { files: string[] };
    const snapshot = JSON.parse(readFileSync(files[0]!, 'utf8')) as { snapshot: { node_count: number } };
    expect(snapshot.snapshot.node_count).toBeGreaterThan(10_000);
  });
});
