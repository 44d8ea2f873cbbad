/** `troupe top`, `troupe gc` and `troupe state reset` against a real server and a real worker. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { FILES, makeProject, type Project } from './support/project.ts';

let project: Project;
let dev: RunningCommand;
let url: string;

beforeAll(async () => {
  project = makeProject(FILES);
  dev = new RunningCommand(['dev', '--nats-port', '0'], { cwd: project.dir });
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
