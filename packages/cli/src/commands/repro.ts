import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Capsule } from '@troupe/inspect';
import { formatAddress } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStates } from '../operator/history.ts';
import { shellWord, showLine } from '../output/format.ts';
import { EXPECT_OPTION, type GivenExpectation, readExpectation } from '../repro/expectation.ts';
import { testFileOf } from '../repro/test-file.ts';
import { usageError } from '../usage-error.ts';

const SHRINK_SECONDS = 60;

export const repro: Command = {
  name: 'repro',
  summary: 'Write a failure of an actor as a file, with a test that fails on it.',
  description:
    'A capsule holds what is needed to see the failure again, offline: the entries, the outcomes of effects among them, and the state that they began with. Without --seq and --expect it is the newest entry that became a dead letter or ended a turn with an error. Secrets are taken out by name and by form; look before you share it.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    seq: { meaning: 'The entry that failed.', placeholder: 'SEQ' },
    ...EXPECT_OPTION,
    shrink: { meaning: 'Leave out every entry without which it fails all the same.' },
    'shrink-for': { meaning: 'Longest time for that, seconds.', placeholder: 'SECONDS', default: `${SHRINK_SECONDS}` },
    'from-snapshot': { meaning: 'Begin at the newest stored state before it, for long histories.' },
    redact: { meaning: 'More fields whose values are secret, separated by commas.', placeholder: 'NAMES' },
    out: { meaning: 'Folder to write to.', placeholder: 'DIR', default: 'repro' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe repro order/42 --shrink', meaning: 'The newest failure, made as small as it gets.' },
    { line: 'troupe repro order/42 --seq 873', meaning: 'The failure of that entry.' },
    {
      line: "troupe repro wallet/ann --expect 'context.balance >= 0' --shrink",
      meaning: 'The first step after which that does not hold.',
    },
  ],
  async run(context) {
    const address = context.address();
    const { config, file: configFile } = await context.requireConfig('repro');
    const expectation = await readExpectation(context);
    const history = await openStates(context, 'repro');
    const { makeCapsule } = await import('@troupe/inspect');
    const { SecretFilter } = await import('@troupe/diagnostics/internal');
    const seq = context.whole('seq');
    const made = await makeCapsule(history, history.of(address), {
      ...(seq === undefined ? {} : { seq }),
      ...(expectation === undefined ? {} : { expectation: expectation.check }),
      fromSnapshot: context.has('from-snapshot'),
      redact: new SecretFilter({ fields: (context.text('redact') ?? '').split(',').filter((name) => name !== '') }),
    });
    if (made.capsule.failure === undefined && (seq !== undefined || expectation !== undefined || context.has('shrink')))
      refuseNothing(context, formatAddress(address), seq);
    if (!made.reproduces)
      context.out.warn(
        'With the code and without the secrets, it does not fail in this way: the code has changed since, or a secret matters. The capsule is written all the same.',
      );
    const shrunk =
      context.has('shrink') && made.reproduces
        ? await shrink(context, made.capsule, config.actors, expectation)
        : undefined;
    const files = await write(context, shrunk?.capsule ?? made.capsule, configFile, expectation);
    answer(context, shrunk?.capsule ?? made.capsule, made.reproduces, files, shrunk);
    return undefined;
  },
};

type Definitions = Awaited<ReturnType<CommandContext['requireConfig']>>['config']['actors'];

/** What shrinking came to. */
export interface Shrunk {
  readonly capsule: Capsule;
  readonly tries: number;
  readonly minimal: boolean;
}

/** @throws TroupeError `Usage` when there is nothing to shrink. */
export async function shrink(
  context: CommandContext,
  capsule: Capsule,
  actors: Definitions,
  expectation: GivenExpectation | undefined,
): Promise<Shrunk> {
  const { openCapsule, shrinkCapsule } = await import('@troupe/inspect');
  const seconds = context.whole('shrink-for') ?? SHRINK_SECONDS;
  const shrunk = shrinkCapsule(openCapsule(capsule, actors), {
    timeoutMs: seconds * 1_000,
    ...(expectation === undefined ? {} : { expectation: expectation.check }),
  });
  if (shrunk === undefined)
    throw usageError(`${capsule.actor} does not fail with this code, so that there is nothing to make smaller.`);
  if (!shrunk.minimal)
    context.out.warn(`Time was up after ${seconds} s: more could be left out. Give it more with --shrink-for SECONDS.`);
  return shrunk;
}

function refuseNothing(context: CommandContext, actor: string, seq: number | undefined): never {
  const what = seq === undefined ? 'No step of the entries that are kept' : `Entry ${seq}`;
  const expected = context.has('expect') ? ' against --expect' : '';
  throw usageError(
    `${what} of ${actor} failed${expected}. troupe history ${actor} --states shows what each did; with --expect you say what is wrong with a state.`,
  );
}

interface Written {
  readonly capsule: string;
  readonly test: string;
}

async function write(
  context: CommandContext,
  capsule: Capsule,
  configFile: string,
  expectation: GivenExpectation | undefined,
): Promise<Written> {
  const dir = resolve(context.io.cwd, context.text('out') ?? 'repro');
  await mkdir(dir, { recursive: true });
  const lastSeq = capsule.failure?.seq ?? capsule.entries.at(-1)?.seq ?? 0;
  const name = `${capsule.actor.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 80)}-${lastSeq}`;
  const files = { capsule: join(dir, `${name}.capsule.json`), test: join(dir, `${name}.test.ts`) };
  // What agents were told may be confidential: for the one who made it only.
  await writeFile(files.capsule, `${JSON.stringify(capsule, null, 1)}\n`, { mode: 0o600 });
  await writeFile(
    files.test,
    testFileOf({ capsule, capsuleFile: files.capsule, testFile: files.test, configFile, expectation }),
    { mode: 0o600 },
  );
  return files;
}

function answer(
  context: CommandContext,
  capsule: Capsule,
  reproduces: boolean,
  files: Written,
  shrunk: Shrunk | undefined,
): void {
  const { actor, entries, failure, redacted, shrunkFrom } = capsule;
  const shown = { capsule: relative(context.io.cwd, files.capsule), test: relative(context.io.cwd, files.test) };
  const from = shrunkFrom === undefined ? '' : ` of ${shrunkFrom}`;
  const said =
    failure === undefined
      ? 'nothing failed'
      : `entry ${failure.seq}: ${failure.code}: ${showLine(failure.message, 120)}`;
  context.out.answer(
    {
      actor,
      files: shown,
      entries: entries.length,
      ...(shrunk === undefined ? {} : { shrunkFrom, tries: shrunk.tries, minimal: shrunk.minimal }),
      failure: failure ?? null,
      reproduces,
      redacted,
    },
    [
      `${actor}, ${said}`,
      `  ${entries.length}${from} entries in ${shown.capsule}${redacted === 0 ? '' : `, ${redacted} secrets taken out`}`,
      `  npx vitest run ${shellWord(shown.test)}`,
      `  troupe replay ${shellWord(shown.capsule)}`,
    ].join('\n'),
  );
}
