/** From a failure in a long history to a test of a few entries, with the real command, a real server and a real vitest. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type StateView } from '@troupe/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { makeProject, type Project } from './support/project.ts';

const VITEST = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
const SECRET = 'correct-horse-battery';
const CALL_SECRET = 'sk-live-0123456789abcdef';

const CONFIG = `
import { defineAgent, defineConfig } from '@troupe/agent';
import { ledger } from './ledger.ts';
export default defineConfig({ actors: [defineAgent({ type: 'ledger', version: 1, machine: ledger })], partitions: 2 });
`;
/** A correction and a fee, then a close, in this order and at any distance: then the sum is wrong. */
const ledger = (wrong: string): string => `
import { reply } from '@troupe/agent';
import { assign, fromPromise, setup } from 'xstate';
type In = { type: 'add'; n: number } | { type: 'correct'; n: number } | { type: 'fee'; n: number; password?: string } | { type: 'close' } | { type: 'rate' };
const machine = setup({
  types: { context: {} as { sum: number; corrected: boolean; fees: number; rate: number; closed: number }, events: {} as In },
  actors: { rates: fromPromise(async () => ({ rate: 2, apiKey: '${CALL_SECRET}' })) },
  actions: { answer: reply(({ context }) => context.sum) },
}).createMachine({
  context: { sum: 0, corrected: false, fees: 0, rate: 1, closed: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        add: { actions: [assign({ sum: ({ context, event }) => context.sum + event.n }), 'answer'] },
        correct: { actions: [assign({ corrected: true }), 'answer'] },
        fee: { actions: [assign({ fees: ({ context, event }) => context.fees + (context.corrected ? event.n * context.rate : 0) }), 'answer'] },
        rate: 'asking',
        close: { actions: [assign(({ context }) => {
          ${wrong}
          return { closed: context.closed + 1 };
        }), 'answer'] },
      },
    },
    asking: { invoke: { src: 'rates', onDone: { target: 'open', actions: [assign({ rate: ({ event }) => event.output.rate }), 'answer'] } } },
  },
});
export const ledger = machine;
`;
const WRONG = ledger('if (context.fees === 14 && context.rate === 2) throw new Error("the fees of 0 do not add up");');
const RIGHT = ledger('');

describe('troupe repro', () => {
  let project: Project;
  let dev: RunningCommand;
  let url: string;
  let seqs: number[];

  beforeAll(async () => {
    project = makeProject({ 'troupe.config.ts': CONFIG, 'ledger.ts': WRONG });
    dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
    url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
    await dev.until(/ ready\n/);
    await using troupe = await connect({ url });
    const one = troupe.actor('ledger', 'ann');
    const isRated = (state: StateView): boolean => (state.context as { rate?: unknown } | undefined)?.rate === 2;
    seqs = [];
    for (let entry = 1; entry <= 900; entry++) {
      seqs.push((await one.send(inputOf(entry))).seq);
      // The answer of the call comes before the entries behind it: as long as it is awaited, those only wait in the stash.
      if (entry === 120) await one.waitFor(isRated, { timeoutMs: 20_000 });
    }
    await one.ask({ type: 'add', n: 0 }, { deadlineMs: 20_000 });
  });
  afterAll(async () => {
    await dev.stop();
    project[Symbol.dispose]();
  });

  /** Entry 120 asks for the rate, 300 corrects, 640 takes a fee that counts, 873 closes: all four, and that order, matter. */
  function inputOf(entry: number): { readonly type: string; readonly [field: string]: unknown } {
    if (entry === 120) return { type: 'rate' };
    if (entry === 300) return { type: 'correct', n: 1 };
    if (entry === 640) return { type: 'fee', n: 7, password: SECRET };
    if (entry === 873) return { type: 'close' };
    if (entry % 50 === 0 && entry < 300) return { type: 'fee', n: 3 };
    if (entry % 90 === 0 && entry < 640) return { type: 'close' };
    return { type: 'add', n: entry, note: `said ${SECRET} at ${entry}` };
  }

  const troupe = (words: readonly string[]): Promise<Finished> =>
    run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url } });
  const offline = (words: readonly string[]): Promise<Finished> =>
    run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: 'nats://127.0.0.1:1' } });
  const vitest = (file: string): Promise<Finished> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [VITEST, 'run', '--root', project.dir, '--config', 'none.ts', file], {
        env: { ...process.env, NO_COLOR: '1' },
        stdio: 'pipe',
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (text: Buffer) => (stdout += text));
      child.stderr.on('data', (text: Buffer) => (stderr += text));
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });

  test('shrinks a failure in entry 873 of 900 to the entries that matter; its test fails on the bug and passes on the fix', async () => {
    project.write('none.ts', 'export default {};');
    const { code, stdout, stderr } = await troupe(['repro', 'ledger/ann', '--shrink', '--json', '--out', 'small']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const made = JSON.parse(stdout) as { files: { capsule: string; test: string }; [field: string]: unknown };
    expect(made).toMatchObject({
      actor: 'ledger/ann',
      minimal: true,
      reproduces: true,
      failure: { seq: expect.any(Number), kind: 'refused' },
    });
    expect(made.shrunkFrom).toBeGreaterThanOrEqual(873);
    const capsule = JSON.parse(readFileSync(join(project.dir, made.files.capsule), 'utf8')) as {
      entries: { seq: number; body: { kind: string } }[];
    };
    const outcome = capsule.entries.find(({ body }) => body.kind === 'outcome')!;
    expect(capsule.entries.map(({ seq }) => seq)).toEqual(
      [seqs[119], outcome.seq, seqs[299], seqs[639], seqs[872]].sort((a, b) => a! - b!),
    );

    const failed = await vitest(made.files.test);
    expect(failed.code).toBe(1);
    expect(`${failed.stdout}${failed.stderr}`).toMatch(/the fees of 0 do not add up/);
    expect((await offline(['replay', made.files.capsule])).code).toBe(1);

    project.write('ledger.ts', RIGHT);
    expect((await vitest(made.files.test)).code).toBe(0);
    const replayed = await offline(['replay', made.files.capsule]);
    expect(replayed.code).toBe(0);
    expect(replayed.stdout).toContain('~ context.fees  0 -> 14');
    project.write('ledger.ts', WRONG);
    await dev.until(/reloaded[\s\S]*reloaded/);
  });

  test('writes the whole history as well, and steps through it offline to any entry', async () => {
    const { stdout } = await troupe(['repro', 'ledger/ann', '--seq', `${seqs[872]}`, '--json', '--out', 'whole']);
    const { files, entries } = JSON.parse(stdout) as { files: { capsule: string }; entries: number };
    expect(entries).toBeGreaterThanOrEqual(873);
    const step = await offline(['replay', files.capsule, '--seq', `${seqs[299]}`, '--json']);
    expect(JSON.parse(step.stdout)).toMatchObject({ seq: seqs[299], state: { context: { corrected: true, rate: 2 } } });
    expect((await offline(['replay', files.capsule, '--seq', '1000000'])).code).toBe(2);
  });

  test('begins at a stored state where that is asked for', async () => {
    const words = ['repro', 'ledger/ann', '--seq', `${seqs[872]}`, '--from-snapshot', '--json', '--out', 'late'];
    const made = JSON.parse((await troupe(words)).stdout) as { entries: number; reproduces: boolean };
    expect(made.reproduces).toBe(true);
    expect(made.entries).toBeLessThan(873);
  });

  test('an expectation about states is a failure too, found where it first breaks, and stands in the test', async () => {
    const words = ['repro', 'ledger/ann', '--expect', 'context.fees < 10', '--shrink', '--json', '--out', 'expected'];
    const { stdout } = await troupe(words);
    const made = JSON.parse(stdout) as { files: { test: string }; failure: unknown; entries: number };
    expect(made).toMatchObject({ failure: { kind: 'expectation', seq: seqs[639] }, entries: 4 });
    expect(readFileSync(join(project.dir, made.files.test), 'utf8')).toContain('({ context }) => (context.fees < 10)');
    expect((await vitest(made.files.test)).code).toBe(1);
  });

  test('says so when nothing failed, and knows what it can not use', async () => {
    expect(await troupe(['repro', 'ledger/ann', '--seq', `${seqs[0]}`])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('failed'),
    });
    expect((await troupe(['repro', 'ledger/never'])).code).toBe(1);
    expect((await troupe(['repro', 'ledger/ann', '--expect', 'context.'])).code).toBe(2);
    expect((await offline(['replay', 'troupe.config.ts'])).code).toBe(2);
  });

  test('what stands under a secret name, or looks like a secret, stands nowhere in what was written', () => {
    const files = readdirSync(project.dir, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /capsule|test\.ts/.test(file),
    );
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) {
      const text = readFileSync(join(project.dir, file), 'utf8');
      // A capsule that begins behind the entry with the password has no way of knowing that the word is one.
      for (const secret of file.startsWith('late') ? [CALL_SECRET] : [SECRET, CALL_SECRET])
        for (const spelling of [secret, Buffer.from(secret).toString('base64')])
          expect(text, file).not.toContain(spelling);
    }
  });
});
