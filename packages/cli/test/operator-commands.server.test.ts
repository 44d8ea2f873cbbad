/** `troupe top`, `troupe gc` and `troupe state reset` against a real server and a real worker. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, MAIN, RunningCommand, run } from './support/process.ts';
import { FILES, makeProject, type Project } from './support/project.ts';
import { SCRIPT, Terminal } from './support/terminal.ts';

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
  await dev.stop();
  project[Symbol.dispose]();
});

const troupe = (...words: string[]): Promise<Finished> =>
  run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });

describe('troupe top', () => {
  test('--json tells one object a look, with the turns that happened between, and ends in good order', async () => {
    const watching = new RunningCommand(['top', '--json', '--interval', '200ms'], {
      cwd: project.dir,
      env: { TROUPE_NATS_URL: url },
    });
    await watching.until(/\n.*\n/);
    expect((await troupe('ask', 'counter/top', '4')).stdout).toBe('4\n');
    const [line] = await watching.until(/^.*"types":\[\{"type":"counter","turnsPerSecond":(?!0,).*$/m);
    expect(JSON.parse(line)).toMatchObject({
      turnsPerSecond: expect.any(Number),
      partitions: { total: 4, live: 4 },
      workers: [{ answers: true, partitions: 4, rssBytes: expect.any(Number) }],
    });
    const { code, stdout } = await watching.stop();
    expect(code).toBe(0);
    for (const one of stdout.trim().split('\n')) expect(() => JSON.parse(one)).not.toThrow();
  });

  test('--once is text without a control sequence, and an interval too short is refused', async () => {
    const { code, stdout } = await troupe('top', '--once', '--interval', '100ms');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^troupe {2}20\d\d-.* turns\/s .* lag \d+\n1 workers {2}4 partitions: 4 live\n/);
    expect(stdout).not.toContain('\u001b');
    expect((await troupe('top', '--interval', '10ms')).code).toBe(2);
  });
});

describe.skipIf(SCRIPT === undefined || process.platform !== 'linux')('troupe top on a terminal', () => {
  test('draws as much as fits, follows its size, ends with q and leaves the terminal as it was', async () => {
    const line = `${process.execPath} ${MAIN} top --interval 200ms; echo "ended with $?"; stty -a`;
    await using terminal = new Terminal(line, 12, 70, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });
    const first = await terminal.frame((lines) => lines.some((one) => one.startsWith('WORKER')));
    expect(first[0]).toMatch(/^troupe {2}\d{4}-/);
    expect(first.length).toBeLessThanOrEqual(12);
    expect(Math.max(...first.map(({ length }) => length))).toBeLessThanOrEqual(70);
    terminal.resize(6, 40);
    const small = await terminal.frame((lines) => lines.length <= 6 && lines.every(({ length }) => length <= 40));
    expect(small[0]).toMatch(/^troupe {2}\d{4}-/);
    terminal.resize(40, 160);
    const large = await terminal.frame((lines) => lines[0]!.includes('entries/s  lag'));
    expect(large.join('\n')).toMatch(/WORKER .*MEMORY[\s\S]*TYPE +TURNS\/S/);
    terminal.press('q');
    expect(await terminal.ended()).toBe(0);
    const [, after = ''] = terminal.text.split('\u001b[?25h\u001b[?1049l');
    expect(after).toContain('ended with 0');
    expect(after).toMatch(/(^|\s)icanon/);
    expect(after).toMatch(/(^|\s)echo(\s|;|$)/);
  });
});

describe('troupe gc', () => {
  test('shows sizes, lets nothing young go, and refuses an age at which workers may still need entries', async () => {
    await troupe('ask', 'counter/gc', '4');
    const { code, stdout } = await troupe('gc', '--older-than', '10m', '--yes', '--json');
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { streams: { name: string; messages: number }[]; removed: object };
    expect(answer).toMatchObject({ dryRun: false, journal: [], removed: { entries: 0, bytes: 0 } });
    expect(answer.streams.find(({ name }) => name === 'TROUPE_JOURNAL')!.messages).toBeGreaterThan(0);
    const refused = await troupe('gc', '--older-than', '9m', '--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('younger entries than 10 min may still be needed');
    expect((await troupe('gc')).stdout).toContain('no entry is both covered and older than 1 d');
  });
});

describe('troupe state reset', () => {
  test('of an actor that never was is an error, and makes none', async () => {
    const refused = await troupe('state', 'reset', 'counter/nobody');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('There is no actor counter/nobody');
    expect((await troupe('history', 'counter/nobody')).stderr).toContain('has no entries');
  });

  test('of a pattern shows which, and with --yes resets those and no others', async () => {
    for (const key of ['t-1', 't-2', 'tx', 'other']) await troupe('ask', `counter/${key}`, '4');
    const shown = await troupe('state', 'reset', 'counter/t-*');
    expect(shown).toMatchObject({ code: 0, stdout: 'counter/t-1\ncounter/t-2\n' });
    expect((await troupe('ask', 'counter/t-1', '0')).stdout).toBe('4\n');
    const { code, stdout } = await troupe('state', 'reset', 'counter/t-*', '--yes', '--json');
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { actor: string; applied: boolean });
    expect(rows.map(({ actor, applied }) => [actor, applied])).toEqual([
      ['counter/t-1', true],
      ['counter/t-2', true],
    ]);
    expect((await troupe('ask', 'counter/t-2', '1')).stdout).toBe('1\n');
    expect((await troupe('ask', 'counter/tx', '1')).stdout).toBe('5\n');
    expect((await troupe('state', 'reset', 'counter/z*', '--yes')).code).toBe(1);
  });
});
