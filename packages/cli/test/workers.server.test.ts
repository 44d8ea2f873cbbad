/** Workers, partitions and drain, and a worker of `troupe dev` that crashes: real processes, a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { FILES, makeProject, type Project } from './support/project.ts';

interface WorkerRow {
  readonly id: string;
  readonly state: string;
  readonly partitions: readonly number[];
  readonly types: Readonly<Record<string, number>>;
  readonly about: { readonly pid: number; readonly process: number; readonly rssBytes: number };
}

interface PartitionRow {
  readonly partition: number;
  readonly owner: string;
  readonly state: string;
  readonly lag: number;
  readonly head: number;
  readonly position: number;
}

let project: Project;
let dev: RunningCommand;
let url: string;

beforeAll(async () => {
  project = makeProject(FILES);
  dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
  url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
  await dev.until(/ ready\n/);
});

afterAll(async () => {
  const { code } = await dev.stop();
  project[Symbol.dispose]();
  expect(code).toBe(0);
});

const troupe = (...words: string[]): Promise<Finished> =>
  run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });

async function rows<T>(...words: string[]): Promise<T[]> {
  const { stdout } = await troupe(...words, '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Repeats a command until its rows are as wanted. @throws Error with the last ones after 30 s. */
async function until<T>(words: string[], fits: (found: readonly T[]) => boolean): Promise<T[]> {
  const endAt = performance.now() + 30_000;
  for (;;) {
    const found = await rows<T>(...words);
    if (fits(found)) return found;
    if (performance.now() > endAt) throw new Error(`troupe ${words.join(' ')}: ${JSON.stringify(found)}`);
  }
}

describe('a worker of troupe dev that is killed', () => {
  test('is started again by itself, with its actors as they were', async () => {
    expect((await troupe('ask', 'counter/crash', '4')).stdout).toBe('4\n');
    const [worker] = await rows<WorkerRow>('workers');
    process.kill(worker!.about.pid, 'SIGKILL');
    await dev.until(/the worker ended by itself \(SIGKILL\); it is started again in \d+ ms/);
    await dev.until(/the worker runs again/);
    expect((await troupe('ask', 'counter/crash', '5', '--deadline', '30s')).stdout).toBe('9\n');
  });
});

describe('troupe workers, partitions and drain', () => {
  let pool: RunningCommand;
  beforeAll(async () => {
    const words = ['worker', '--processes', '2', '--id', 'box', '--nats-url', url];
    pool = new RunningCommand(words, { cwd: project.dir });
    await until<WorkerRow>(['workers'], (found) => found.filter(({ state }) => state === 'live').length === 3);
    await until<PartitionRow>(['partitions'], (found) => found.every(({ state }) => state === 'live'));
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
  });

  test('tell of every worker which process it is, what it hosts and what it owns', async () => {
    const found = await rows<WorkerRow>('workers');
    const box = found.filter(({ id }) => id.startsWith('box-'));
    expect(box.map(({ about }) => about.process).sort()).toEqual([1, 2]);
    for (const { about, types, state } of box) {
      expect({ types, state }).toEqual({ types: { counter: 1, order: 1 }, state: 'live' });
      expect(() => process.kill(about.pid, 0)).not.toThrow();
      expect(about.rssBytes).toBeGreaterThan(20_000_000);
    }
    const owned = found.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
    expect(owned).toEqual([0, 1, 2, 3]);
    const { stdout } = await troupe('workers');
    expect(stdout).toMatch(/^WORKER +STATE +PARTITIONS +LAG/);
    expect(stdout).toMatch(/^box-1 +live +\d/m);
  });

  test('tell of every partition who owns it, and that nothing is left to read', async () => {
    await troupe('ask', 'counter/read', '1');
    const found = await rows<PartitionRow>('partitions');
    expect(found.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    for (const { state, lag, head, position } of found) {
      expect({ state, lag }).toEqual({ state: 'live', lag: 0 });
      expect(position).toBeGreaterThanOrEqual(head);
    }
    const [{ owner } = { owner: '' }] = found;
    const own = await rows<PartitionRow>('partitions', '--owner', owner);
    expect(own.every((one) => one.owner === owner)).toBe(true);
    expect((await troupe('partitions')).stdout.trim().split('\n')).toHaveLength(5);
  });

  test('show a worker that does not answer as silent, and refuse to call it drained', async () => {
    const [first] = (await rows<WorkerRow>('workers')).filter(({ id }) => id === 'box-1');
    process.kill(first!.about.pid, 'SIGSTOP');
    try {
      const [row] = (await rows<WorkerRow>('workers')).filter(({ id }) => id === 'box-1');
      expect(row).toMatchObject({ state: 'silent' });
      expect(row!.partitions).toBeUndefined();
      const refused = await troupe('drain', 'box-1');
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('does not answer');
    } finally {
      process.kill(first!.about.pid, 'SIGCONT');
    }
  });

  test('drain one worker, whose parent does not start it again, while the others take what it held', async () => {
    await until<WorkerRow>(['workers'], (found) => found.every(({ state }) => state === 'live'));
    expect((await troupe('drain', 'box-9')).stderr).toContain('Did you mean box-');
    expect((await troupe('drain')).code).toBe(2);
    expect(await rows('drain', 'box-2')).toEqual([{ worker: 'box-2', drained: true, tookMs: expect.any(Number) }]);
    const left = await until<WorkerRow>(['workers'], (found) => found.flatMap((one) => one.partitions).length === 4);
    expect(left.map(({ id }) => id)).not.toContain('box-2');
    expect((await troupe('ask', 'counter/read', '1', '--deadline', '30s')).stdout).toBe('2\n');
  });

  test('drain all of them, and then there is none; parents end with 0', async () => {
    const before = await rows<WorkerRow>('workers');
    const drained = await rows<{ worker: string }>('drain', '--all');
    expect(drained.map(({ worker }) => worker).sort()).toEqual(before.map(({ id }) => id).sort());
    expect(await rows('workers')).toEqual([]);
    expect((await pool.finished).code).toBe(0);
    await dev.until(/exit code 0\): it was drained/);
    expect((await rows<PartitionRow>('partitions')).map(({ state }) => state)).toEqual(Array(4).fill('unowned'));
  });
});
