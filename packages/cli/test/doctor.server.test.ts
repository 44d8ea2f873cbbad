/** Every check of `troupe doctor`, well and then with its fault planted: real processes, a real server. */
import { CHECKS } from '@troupe/cli/internal';
import { connect, type Troupe } from '@troupe/client';
import { JsApi } from '@troupe/nats/internal';
import type { OpenPorts } from '@troupe/service-worker';
import { decodeState, encodeState, hash53 } from '@troupe/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configOf, FAULTY, type Finding, portsAt } from './support/doctor.ts';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { counterOf, makeProject, type Project } from './support/project.ts';
import { troupe as here } from './support/run.ts';

/** Limits that a loaded machine keeps to as well. */
const CALM = ['--max-delay', '10s', '--max-response', '10s', '--max-clock', '10s'];
const SKEW = `const now = Date.now; Date.now = () => now() + 3_600_000;`;

let project: Project;
let dev: RunningCommand;
let url: string;
let troupe: Troupe;
let open: OpenPorts;
let api: JsApi;

beforeAll(async () => {
  project = makeProject({
    'troupe.config.ts': configOf(['counter', 'faulty', 'guest', 'elder']),
    'strict.config.ts': configOf(['counter', 'faulty', 'guest'], 'doctor: { turnMaxMs: 100, memoryMaxMib: 1 },'),
    'stranger.config.ts': configOf(['counter', 'faulty', 'stranger']),
    'agents/counter.ts': counterOf(1),
    'agents/faulty.ts': FAULTY,
    'skew.mjs': SKEW,
  });
  dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
  url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
  await dev.until(/ ready\n/);
  troupe = await connect({ url });
  open = await portsAt(url);
  api = new JsApi(open.connection);
  for (const key of ['a', 'b', 'c', 'd']) await troupe.actor('counter', key).ask(1);
  for (const type of ['guest', 'elder']) await troupe.actor(type, 'one').ask(1);
});

afterAll(async () => {
  await troupe.close();
  await open.ports.close();
  await dev.stop();
  project[Symbol.dispose]();
});

/** A command in this process, which saves its start: there are dozens. It knows the config file as it was first. */
const command = (...words: string[]): Promise<Finished> =>
  here(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });
/** The real one. */
const realCommand = (...words: string[]): Promise<Finished> =>
  run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });

interface Told {
  readonly code: number | null;
  readonly status: string;
  readonly checks: Finding[];
}

async function doctor(flags: readonly string[], start = command): Promise<Told> {
  const { code, stdout, stderr } = await start('doctor', '--json', ...flags);
  if (stdout === '') throw new Error(stderr);
  return { code, ...(JSON.parse(stdout) as Omit<Told, 'code'>) };
}

/** What one check finds. */
async function look(name: string, ...flags: string[]): Promise<Finding[]> {
  const others = CHECKS.map((check) => check.name).filter((one) => one !== name && one !== 'server');
  // Code is told by its text, which is another one here than in the workers: states are folded in a process.
  const start = name === 'consistency' ? realCommand : command;
  const { checks } = await doctor(['--skip', others.join(','), ...flags], start);
  return checks.filter(({ check }) => name === 'server' || check !== 'server');
}

/** Repeats it until it finds that. @throws Error with the last finding after 40 s. */
async function until(name: string, status: Finding['status'], ...flags: string[]): Promise<Finding> {
  const endAt = performance.now() + 40_000;
  for (;;) {
    const found = await look(name, ...flags);
    const fitting = found.find((one) => one.status === status);
    if (fitting !== undefined) return fitting;
    if (performance.now() > endAt) throw new Error(`${name} never ${status}: ${JSON.stringify(found)}`);
  }
}

/** Resolves once every partition is served. */
async function served(): Promise<void> {
  await until('owners', 'ok');
}

interface Worker {
  readonly id: string;
  readonly about: { readonly pid: number };
}

async function workers(): Promise<Worker[]> {
  const { stdout } = await command('workers', '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Worker);
}

describe('troupe doctor', () => {
  test('finds everything well where it is, and says so by its exit code', async () => {
    await until('owners', 'ok');
    const { code, status, checks } = await doctor(CALM, realCommand);
    expect(checks.filter((one) => one.status !== 'ok')).toEqual([]);
    expect({ code, status }).toEqual({ code: 0, status: 'healthy' });
    const names = new Set(checks.map(({ check }) => (check.startsWith('stream ') ? 'streams' : check)));
    expect([...names].sort()).toEqual(CHECKS.map(({ name }) => name).sort());
    const { stdout } = await command('doctor', '--skip', 'consistency', ...CALM);
    expect(stdout).toMatch(/^ok {5} {2}server: nats-server \d/);
    expect(stdout).toMatch(/\nhealthy\n$/);
  });

  test('asks an actor through the journal when told to', async () => {
    const [found] = await look('response', '--ask', 'counter/probe', '--ask-input', '1', ...CALM);
    expect(found).toMatchObject({ status: 'ok', message: expect.stringMatching(/^3 tasks: p50 \S+ ms, p95/) });
    expect(await troupe.actor('counter', 'probe').ask(0)).toBe(3);
  });

  test('refuses limits and checks that are none', async () => {
    expect(await command('doctor', '--max-usage', '120')).toMatchObject({ code: 2, stdout: '' });
    expect((await command('doctor', '--skip', 'weather')).stderr).toContain('There are: server, jetstream');
  });
});

describe('troupe doctor, with one thing wrong', () => {
  test('a turn that does not end', async () => {
    void troupe
      .actor('faulty', 'stuck')
      .ask({ deed: 'hang' }, { deadlineMs: 600_000 })
      .catch(() => undefined);
    const found = await until('turns', 'warning', '--max-turn', '500ms');
    expect(found).toMatchObject({
      message: expect.stringContaining('faulty/stuck'),
      fix: 'troupe state show faulty/stuck',
    });
    expect(await look('turns')).toMatchObject([{ status: 'ok' }]);
    const strict = ['--config', 'strict.config.ts'];
    expect(await look('turns', ...strict)).toMatchObject([{ status: 'warning' }]);
    expect(await look('turns', ...strict, '--max-turn', '5m')).toMatchObject([{ status: 'ok' }]);
    expect(await look('memory', ...strict)).toMatchObject([{ status: 'warning' }]);
  });

  test('a dead letter, until it is dropped', async () => {
    await troupe
      .actor('counter', 'dead')
      .ask({ type: 'nonsense' })
      .catch(() => undefined);
    const found = await until('dead-letters', 'warning');
    expect(found.message).toContain('1 UnknownEvent; the newest of counter/dead');
    const seq = /show (\d+)$/.exec(found.fix!)![1]!;
    expect((await command('dead', 'drop', seq)).code).toBe(0);
    expect(await look('dead-letters')).toMatchObject([{ status: 'ok' }]);
  });

  test('a stream that is gone, and one that was changed', async () => {
    const { parked, snapshots } = open.config.streams;
    await api.call(`STREAM.DELETE.${parked}`, undefined);
    const gone = (await look('streams')).filter(({ status }) => status !== 'ok');
    expect(gone).toMatchObject([{ check: `stream ${parked}`, status: 'problem', fix: 'troupe worker' }]);
    await (await portsAt(url, { provision: 'yes' })).ports.close();
    const { config } = (await api.streamInfo(snapshots))!;
    await api.call(`STREAM.UPDATE.${snapshots}`, { ...config, max_msgs_per_subject: 50 });
    const changed = (await look('streams')).filter(({ status }) => status !== 'ok');
    expect(changed).toMatchObject([
      { status: 'problem', fix: `nats stream edit ${snapshots} --max-msgs-per-subject=10 --force` },
    ]);
    await api.call(`STREAM.UPDATE.${snapshots}`, config);
    expect((await look('streams')).filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  test('another count of partitions than configured', async () => {
    const { stdout } = await here(['doctor', '--json', '--skip', 'response,consistency'], {
      cwd: project.dir,
      env: { TROUPE_NATS_URL: url, TROUPE_PARTITIONS: '8' },
    });
    expect(stdout).toContain('has 4 partitions, configured are 8');
  });

  test('fewer copies of the streams than configured', async () => {
    const { stdout } = await here(['doctor', '--json', '--skip', 'response,consistency'], {
      cwd: project.dir,
      env: { TROUPE_NATS_URL: url, TROUPE_REPLICAS: '3' },
    });
    const { checks } = JSON.parse(stdout) as { checks: Finding[] };
    expect(checks.filter(({ status }) => status !== 'ok')).not.toEqual([]);
    for (const { check, status, message, fix } of checks.filter((one) => one.status !== 'ok')) {
      expect([status, message]).toEqual(['warning', 'has 1 of 3 replicas.']);
      expect(fix).toBe(`nats stream edit ${check.slice('stream '.length)} --replicas=3 --force`);
    }
  });

  test('a type of the config file that nobody hosts', async () => {
    expect(await look('types', '--config', 'stranger.config.ts')).toMatchObject([
      { status: 'warning', message: expect.stringContaining('no worker hosts stranger') },
    ]);
  });

  test('a damaged snapshot, and one that the journal does not lead to', async () => {
    const { ports, config } = open;
    for (const key of ['a', 'b']) await troupe.actor('counter', key).ask(1);
    await command('drain', '--all');
    await dev.until(/it was drained/);
    expect(await look('consistency')).toMatchObject([{ status: 'ok' }]);
    /** Puts other bytes in the place of the newest snapshot. @returns puts the old ones back. */
    const replace = async (key: string, changed: (bytes: Uint8Array) => Uint8Array, isHashed: boolean) => {
      const address = { type: 'counter', key };
      const partition = ports.journal.partitionOf(address);
      const stored = (await ports.snapshots.load(partition, address))!;
      const store = async (bytes: Uint8Array, hash: string): Promise<void> => {
        const { revision } = (await ports.snapshots.load(partition, address))!;
        await api.call(`STREAM.MSG.DELETE.${config.streams.snapshots}`, { seq: revision });
        const before = (await ports.snapshots.load(partition, address))?.revision ?? 0;
        const { seq, count } = stored;
        const saved = await ports.snapshots.save(partition, address, { seq, count, hash, bytes }, before);
        expect(saved.kind).toBe('saved');
      };
      const bytes = changed(stored.bytes);
      await store(bytes, isHashed ? String(hash53(bytes)) : stored.hash);
      return () => store(stored.bytes, stored.hash);
    };
    const flipped = (bytes: Uint8Array) => bytes.with(-1, bytes.at(-1)! ^ 1);
    const other = (bytes: Uint8Array) => encodeState({ ...(decodeState(bytes) as Record<string, unknown>), turns: 77 });
    const undo = [await replace('b', flipped, false), await replace('a', other, true)];
    const [found, ...more] = await look('consistency', '--sample', '1000');
    expect([found?.status, more]).toEqual(['problem', []]);
    expect(found?.message).toContain('2 of ');
    expect(found?.message).toContain('counter/b has a damaged snapshot');
    expect(found?.message).toContain('counter/a folds to another state');
    for (const back of undo) await back();
    expect(await look('consistency', '--sample', '1000')).toMatchObject([{ status: 'ok' }]);
  });

  test('no worker at all: what needs one is unknown, and nothing passes for well', async () => {
    const { code, status, checks } = await doctor(['--skip', 'consistency', ...CALM]);
    expect({ code, status }).toEqual({ code: 2, status: 'failing' });
    const of = (wanted: string) => checks.filter((one) => one.status === wanted).map(({ check }) => check);
    expect(of('problem')).toEqual(['workers', 'owners']);
    expect(of('unknown')).toEqual([
      'types',
      'response',
      'turns',
      'errors',
      'actors',
      'quarantine',
      'memory',
      'event-loop',
    ]);
  });
});

describe('troupe doctor, with workers that go wrong', () => {
  let pool: RunningCommand;
  beforeAll(async () => {
    // The guests of before have a stored state, and nobody defines them any more; elders are defined, but not as they were.
    project.write('troupe.config.ts', configOf(['counter', 'faulty', 'elder@2']));
    pool = new RunningCommand(['worker', '--processes', '2', '--id', 'box', '--nats-url', url], { cwd: project.dir });
    await served();
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
  });

  test('actors that no worker has the code of, and what is sent to them', async () => {
    expect(await look('actors')).toMatchObject([
      { status: 'warning', message: expect.stringContaining('1 of guest'), fix: 'troupe worker' },
    ]);
    expect(await look('parked')).toMatchObject([{ status: 'ok' }]);
    await troupe.actor('guest', 'one').send(1);
    const found = await until('parked', 'warning');
    expect(found).toMatchObject({ message: expect.stringContaining('guest/one'), fix: 'troupe history guest/one' });
  });

  test('actors whose state no code there can go on with', async () => {
    await troupe.actor('elder', 'one').send(1);
    await expect
      .poll(() => look('actors'), { timeout: 40_000 })
      .toMatchObject([
        { message: expect.stringContaining('of guest') },
        {
          status: 'warning',
          message: expect.stringMatching(/^1 are suspended.*\(elder\/one\)/),
          fix: 'troupe state show elder/one',
        },
      ]);
  });

  test('too many turns that fail', async () => {
    expect(await look('errors')).toMatchObject([{ status: 'ok' }]);
    const asks = Array.from({ length: 120 }, (_, n) => troupe.actor('counter', `e${n % 7}`).ask('text'));
    await Promise.allSettled(asks);
    expect(await look('errors')).toMatchObject([
      { status: 'warning', message: expect.stringMatching(/1\d\d of 1\d\d of counter/), fix: 'troupe tail counter' },
    ]);
  });

  test('a process that takes much memory', async () => {
    expect(await look('memory', '--max-memory', '400')).toMatchObject([{ status: 'ok' }]);
    await troupe.actor('faulty', 'eater').ask({ deed: 'eat', amount: 350 });
    expect(await look('memory', '--max-memory', '400')).toMatchObject([
      { status: 'warning', fix: expect.stringMatching(/^troupe profile heap \S+$/) },
    ]);
  });

  test('an event loop that is kept busy', async () => {
    expect(await look('event-loop', ...CALM)).toMatchObject([{ status: 'ok' }]);
    let isSeen = false;
    const busy = (async () => {
      while (!isSeen) await troupe.actor('faulty', 'blocker').ask({ deed: 'block', amount: 1_500 });
    })();
    const found = await until('event-loop', 'warning', '--max-delay', '1s').finally(() => {
      isSeen = true;
    });
    expect(found.fix).toMatch(/^troupe profile run \S+ --seconds 10$/);
    await busy;
  });

  test('a worker whose clock is an hour ahead', async () => {
    expect(await look('clocks', ...CALM)).toMatchObject([{ status: 'ok' }]);
    const env = { TROUPE_NATS_URL: url, NODE_OPTIONS: `--import ${project.dir}/skew.mjs` };
    await using _skewed = new RunningCommand(['worker', '--id', 'skewed'], { cwd: project.dir, env });
    const found = await until('clocks', 'warning', ...CALM);
    expect(found.message).toMatch(/skewed is (60 min|1 h) ahead/);
  });

  test('workers that can not renew their leases in time', async () => {
    expect(await look('workers')).toMatchObject([{ status: 'ok' }]);
    const { records } = open.config.streams;
    const { config } = (await api.streamInfo(records))!;
    // They answer, and are connected; only nothing can be written where leases are.
    await api.call(`STREAM.UPDATE.${records}`, { ...config, max_msg_size: 1 });
    try {
      const found = await until('workers', 'warning');
      expect(found.message).toContain('could not renew their leases in time');
    } finally {
      await api.call(`STREAM.UPDATE.${records}`, config);
    }
    await until('workers', 'ok');
  });

  test('workers that are frozen: silent, their partitions without an owner, questions without an answer, lag', async () => {
    await served();
    expect(await look('lag')).toMatchObject([{ status: 'ok' }]);
    const frozen = await workers();
    for (const { about } of frozen) process.kill(about.pid, 'SIGSTOP');
    try {
      const sent = Array.from({ length: 200 }, (_, n) => troupe.actor('counter', `l${n % 20}`).send(1));
      await Promise.all(sent);
      const { code, checks } = await doctor(['--max-lag', '20', ...CALM]);
      const of = (name: string) => checks.find(({ check }) => check === name);
      expect(code).toBe(2);
      expect(of('workers')).toMatchObject({ status: 'problem', message: expect.stringContaining('do not answer') });
      expect(of('owners')).toMatchObject({ status: 'problem', message: expect.stringContaining('silent') });
      expect(of('response')).toMatchObject({ status: 'problem', message: expect.stringContaining('got no answer') });
      expect(of('lag')).toMatchObject({ status: 'warning' });
      expect(of('memory')).toMatchObject({ status: 'unknown' });
    } finally {
      for (const { about } of frozen) process.kill(about.pid, 'SIGCONT');
    }
    await served();
    expect(await look('workers')).toMatchObject([{ status: 'ok' }]);
    expect(await look('response', ...CALM)).toMatchObject([{ status: 'ok' }]);
  });

  test('an entry that ended workers again and again', async () => {
    expect(await look('quarantine')).toMatchObject([{ status: 'ok' }]);
    await troupe.actor('faulty', 'killer').send({ deed: 'die' });
    expect(await until('quarantine', 'warning')).toMatchObject({ fix: 'troupe dead ls' });
  });

  test('a journal that is nearly full', async () => {
    const { name } = open.config.journals[0]!;
    expect((await look('streams')).filter(({ status }) => status !== 'ok')).toEqual([]);
    for (let n = 0; n < 10; n++) await troupe.actor('counter', `f${n}`).send('x'.repeat(760_000));
    expect((await look('streams')).filter(({ status }) => status !== 'ok')).toMatchObject([
      { check: `stream ${name}`, status: 'warning', message: expect.stringContaining('nearly full') },
    ]);
  });
});
