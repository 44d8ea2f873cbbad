/** Going back in time with the real command, against a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { FILES, makeProject, type Project } from './support/project.ts';

describe('time travel on the command line', () => {
  let project: Project;
  let dev: RunningCommand;
  let url: string;
  let seqs: number[];

  beforeAll(async () => {
    project = makeProject(FILES);
    dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
    url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
    await dev.until(/ ready\n/);
    for (const n of ['1', '2', '3', '4']) await troupe(['ask', 'counter/told', n]);
    seqs = ((await json(['history', 'counter/told'])) as { seq: number }[]).map(({ seq }) => seq);
  });

  afterAll(async () => {
    await dev.stop();
    project[Symbol.dispose]();
  });

  const troupe = (words: readonly string[]): Promise<Finished> =>
    run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });
  const json = async (words: readonly string[]): Promise<unknown[]> =>
    (await troupe([...words, '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  test('state at shows the state after an entry, or says that there was none', async () => {
    expect(await json(['state', 'at', 'counter/told', '--seq', `${seqs[2]}`])).toMatchObject([
      { actor: 'counter/told', seq: seqs[2], context: { n: 6 } },
    ]);
    expect((await troupe(['state', 'at', 'counter/told', '--seq', '0'])).code).toBe(1);
    expect((await troupe(['state', 'at', 'counter/told'])).code).toBe(2);
  });

  test('diff lists what changed, by path', async () => {
    const [found] = await json(['diff', 'counter/told', '--from', `${seqs[1]}`, '--to', `${seqs[2]}`]);
    expect(found).toMatchObject({ actor: 'counter/told', from: seqs[1], to: seqs[2] });
    expect((found as { changes: unknown[] }).changes).toContainEqual({
      path: ['context', 'n'],
      kind: 'changed',
      before: 3,
      after: 6,
    });
    expect((await troupe(['diff', 'counter/told', '--from', `${seqs[1]}`])).stdout).toContain('~ context.n  3 -> 10');
    expect((await troupe(['diff', 'counter/told', '--from', `${seqs[3]}`])).stdout).toBe('no difference\n');
  });

  test('the newest entries are found without --from', async () => {
    expect(await json(['history', 'counter/told', '-n', '2'])).toMatchObject([{ seq: seqs[2] }, { seq: seqs[3] }]);
    expect(await json(['history', 'counter/told', '-n', '1', '--states'])).toMatchObject([
      { state: { context: { n: 10 } } },
    ]);
  });

  test('fork begins another actor from an earlier state, and leaves the original alone', async () => {
    expect(await json(['fork', 'counter/told', '--seq', `${seqs[1]}`, '--to', 'forked'])).toMatchObject([
      { actor: 'counter/forked', from: 'counter/told', fromSeq: seqs[1], applied: true },
    ]);
    expect((await troupe(['ask', 'counter/forked', '100'])).stdout).toBe('103\n');
    expect((await troupe(['ask', 'counter/told', '0'])).stdout).toBe('10\n');
    const again = await troupe(['fork', 'counter/told', '--seq', `${seqs[1]}`, '--to', 'forked']);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('a fork replaces nobody') });
  });

  test('a fork keeps the time that a timer had left', async () => {
    await troupe(['send', 'order/timed', '{"type":"placed"}']);
    const [{ seq }] = (await json(['history', 'order/timed', '-n', '1'])) as [{ seq: number }];
    await troupe(['fork', 'order/timed', '--seq', `${seq}`, '--to', 'later']);
    const [timer] = (await json(['timers', 'ls', 'order/later'])) as { dueAt: number }[];
    const left = timer!.dueAt - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  test('rewind begins a set of actors as of one entry, or does nothing at all', async () => {
    await troupe(['ask', 'counter/pair', '5']);
    const words = ['rewind', 'counter/told', 'counter/pair', '--seq', `${seqs[2]}`, '--key-prefix', 'then-'];
    expect(await json(words)).toMatchObject([
      {
        seq: seqs[2],
        forks: [{ actor: 'counter/then-told', fromSeq: seqs[2] }],
        absent: ['counter/pair'],
      },
    ]);
    expect((await troupe(['ask', 'counter/then-told', '1'])).stdout).toBe('7\n');
    const taken = ['rewind', 'counter/pair', 'counter/told', '--seq', '999999', '--key-prefix', 'then-'];
    expect((await troupe(taken)).code).toBe(2);
    expect((await troupe(['history', 'counter/then-pair'])).code).toBe(1);
  });
});
