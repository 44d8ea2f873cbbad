/** The real command against a real server, as a person would use it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { counterOf, FILES, makeProject, type Project } from './support/project.ts';

describe('troupe dev, and the commands beside it', () => {
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

  const troupe = (words: readonly string[], stdin?: string): Promise<Finished> =>
    run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url }, ...(stdin === undefined ? {} : { stdin }) });
  const json = async (words: readonly string[], stdin?: string): Promise<unknown[]> => {
    const { stdout } = await troupe([...words, '--json'], stdin);
    return stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  };

  test('says where it is, that authentication is off, and what to paste', async () => {
    expect(dev.stdout).toContain('Authentication is off');
    expect(dev.stdout).toContain(`troupe ask counter/john 'My name is John' --nats-url ${url}`);
    expect(dev.stdout).toMatch(/nats -s \S+ req troupe\.ask\.counter\.john/);
  });

  test('asks: the outcome on stdout, and in the log of dev', async () => {
    expect(await troupe(['ask', 'counter/asked', '5', '--task-id', 'five'])).toMatchObject({
      code: 0,
      stdout: '5\n',
      stderr: '',
    });
    expect(await json(['ask', 'counter/asked', '-'], '2')).toEqual([
      { actor: 'counter/asked', taskId: expect.any(String), output: 7 },
    ]);
    await dev.until(/counter\/asked {2}five {2}5\n/);
  });

  test('asks again under the same id: one effect, the same outcome', async () => {
    await troupe(['ask', 'counter/same', '5', '--task-id', 'one']);
    expect((await troupe(['ask', 'counter/same', '5', '--task-id', 'one'])).stdout).toBe('5\n');
  });

  test('takes a key with anything in it', async () => {
    const key = "counter/Jo hn.*>'é/x=1";
    expect((await troupe(['ask', key, '3'])).stdout).toBe('3\n');
    expect(await json(['state', 'show', key])).toMatchObject([{ actor: key, context: { n: 3 } }]);
  });

  test('ends with 1 when the outcome is an error', async () => {
    const failed = await troupe(['ask', 'counter/failed', 'text']);
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: 'error: NotANumber: That is no number.\n' });
    expect(await json(['ask', 'order/failed', '{"type":"nonsense"}'])).toMatchObject([
      { error: { code: 'UnknownEvent', actor: 'order/failed' } },
    ]);
  });

  test('sends, signals, shows timers and cancels them', async () => {
    expect(await json(['send', 'order/42', '{"type":"placed"}'])).toMatchObject([
      { actor: 'order/42', seq: expect.any(Number) },
    ]);
    const [timer] = (await json(['timers', 'ls', 'order/42'])) as { id: string; event: string }[];
    expect(timer!.event).toContain('after.3600000');
    expect((await troupe(['timers', 'cancel', 'order/42', '0.0'])).code).toBe(1);
    expect((await troupe(['timers', 'cancel', 'order/42', timer!.id])).code).toBe(0);
    expect(await json(['timers', 'ls', 'order/42'])).toEqual([]);
    expect((await troupe(['signal', 'order/42', 'approve', '{"by":"ann"}'])).code).toBe(0);
    await dev.until(/order\/42 {2}emitted {2}\{"type":"approved","by":"ann"\}/);
    expect(await json(['state', 'show', 'order/42'])).toMatchObject([{ value: 'approved', timers: [] }]);
  });

  test('shows history and earlier states, by the owner and without one', async () => {
    for (const n of ['1', '2', '3']) await troupe(['ask', 'counter/told', n]);
    const entries = (await json(['history', 'counter/told'])) as { seq: number; kind: string; payload: number }[];
    expect(entries.map(({ kind, payload }) => [kind, payload])).toEqual([
      ['task', 1],
      ['task', 2],
      ['task', 3],
    ]);
    expect(await json(['history', 'counter/told', '-n', '1'])).toHaveLength(1);
    expect(await json(['state', 'show', 'counter/told', '--at', `${entries[1]!.seq}`])).toMatchObject([
      { context: { n: 3 } },
    ]);
    expect(await json(['history', 'counter/told', '--states'])).toMatchObject([
      { state: { context: { n: 1 } } },
      { state: { context: { n: 3 } } },
      { state: { context: { n: 6 } } },
    ]);
    expect((await troupe(['history', 'counter/never'])).code).toBe(1);
  });

  test('exports, imports under another key, resets', async () => {
    await troupe(['ask', 'counter/from', '8']);
    const { stdout } = await troupe(['state', 'export', 'counter/from']);
    expect((await troupe(['state', 'import', 'counter/to', '-'], stdout)).code).toBe(0);
    expect((await troupe(['ask', 'counter/to', '1'])).stdout).toBe('9\n');
    expect((await troupe(['state', 'import', 'order/to', '-'], stdout)).code).toBe(2);
    expect((await troupe(['state', 'reset', 'counter/to'])).code).toBe(0);
    expect((await troupe(['ask', 'counter/to', '1'])).stdout).toBe('1\n');
  });

  test('lists, shows, redrives and drops dead letters', async () => {
    await troupe(['send', 'order/dead', '{"type":"nonsense"}']);
    const [letter] = (await json(['dead', 'ls', 'order/dead'])) as { seq: number }[];
    expect(await json(['dead', 'show', `${letter!.seq}`])).toMatchObject([
      { actor: 'order/dead', code: 'UnknownEvent', payload: { type: 'nonsense' } },
    ]);
    expect(await json(['dead', 'redrive', `${letter!.seq}`])).toMatchObject([{ error: { code: 'UnknownEvent' } }]);
    const left = (await json(['dead', 'ls', 'order/dead'])) as { seq: number }[];
    expect(left.map(({ seq }) => seq > letter!.seq)).toEqual([true]);
    expect((await troupe(['dead', 'drop', ...left.map(({ seq }) => `${seq}`)])).code).toBe(0);
    expect(await json(['dead', 'ls', 'order/dead'])).toEqual([]);
  });

  test('lists actors, of a type too', async () => {
    await troupe(['ask', 'counter/listed', '1']);
    expect(await json(['ls', 'counter'])).toContainEqual(
      expect.objectContaining({ type: 'counter', key: 'listed', status: 'active' }),
    );
    expect((await troupe(['ls'])).stdout).toContain('counter/listed');
  });

  test('tails what is published', async () => {
    await using tail = new RunningCommand(['tail', 'counter', '--json', '--count', '1', '--for', '30s'], {
      cwd: project.dir,
      env: { TROUPE_NATS_URL: url },
    });
    const asked = (async () => {
      // Until the tail listens there is nothing to see.
      while (tail.child.exitCode === null) await troupe(['ask', 'counter/tailed', '1']);
    })();
    const { code, stdout } = await tail.finished;
    await asked;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'outcome', actor: 'counter/tailed', outcome: { ok: true } });
  });

  test('finds everything well', async () => {
    const [report] = (await json([
      'doctor',
      '--max-delay',
      '10s',
      '--max-response',
      '10s',
      '--max-clock',
      '10s',
      '--skip',
      'dead-letters',
    ])) as {
      status: string;
      checks: { check: string; status: string; message: string }[];
    }[];
    expect(report!.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(report!.checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['server', 'jetstream', 'stream TROUPE_JOURNAL', 'workers', 'types', 'owners', 'lag']),
    );
  });

  test('finds a journal that was made otherwise', async () => {
    const { code, stdout, stderr } = await troupe(['doctor', '--json', '--prefix', 'nothing-here']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(stdout).toContain('is missing');
  });

  test('takes changed code, and keeps running what is there when the new code is broken', async () => {
    await troupe(['ask', 'counter/edited', '1']);
    project.write('agents/counter.ts', 'this is no code(');
    await dev.until(/the new code was not taken/);
    expect(
      (await troupe(['ask', 'order/edited', '{"type":"placed"}', '--config', `${project.dir}/other.config.mjs`])).code,
    ).toBe(2);
    project.write('agents/counter.ts', counterOf(10));
    await dev.until(/reloaded in \d+ ms/);
    expect((await troupe(['ask', 'counter/edited', '1'])).stdout).toBe('11\n');
  });

  test('refuses a second dev in the same folder', async () => {
    const second = await run(['dev', '--nats-port', '0'], { cwd: project.dir });
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('Another troupe dev');
  });
});

describe('troupe dev, stopped and started again', () => {
  test('finds its actors as they were', async () => {
    using project = makeProject(FILES);
    const once = async (input: string): Promise<string> => {
      await using dev = new RunningCommand(['dev', '--nats-port', '0', '--json', '--no-gateway'], { cwd: project.dir });
      const [, url, page] = (await dev.until(/"event":"ready","url":"(nats:[^"]+)".*"page":([^}]*)\}/)) as string[];
      expect(page).toBe('null');
      const { stdout } = await run(['ask', 'counter/kept', input], {
        cwd: project.dir,
        env: { TROUPE_NATS_URL: url! },
      });
      expect((await dev.stop('SIGTERM')).code).toBe(0);
      for (const line of dev.stdout.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
      return stdout;
    };
    expect(await once('4')).toBe('4\n');
    expect(await once('5')).toBe('9\n');
  });
});
