import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Capsule, ReplayedStep } from '@troupe/inspect';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { showValue } from '../output/format.ts';
import { EXPECT_OPTION, readExpectation } from '../repro/expectation.ts';
import { showStep, viewStep } from '../repro/show-step.ts';
import { usageError } from '../usage-error.ts';
import { shrink } from './repro.ts';

export const replay: Command = {
  name: 'replay',
  summary: 'Step through a capsule of troupe repro, offline.',
  description:
    'Folds its entries by the definitions of troupe.config.ts as they are now: after a correction it shows whether the failure is gone. No server is needed, and no effect is run.',
  args: [{ name: 'FILE', meaning: 'A capsule: *.capsule.json.' }],
  options: {
    seq: { meaning: 'Only the step of this entry, with the whole state after it.', placeholder: 'SEQ' },
    ...EXPECT_OPTION,
    shrink: { meaning: 'Write the file anew, without the entries that do not matter.' },
    'shrink-for': { meaning: 'Longest time for that, seconds.', placeholder: 'SECONDS', default: '60' },
  },
  reach: 'none',
  examples: [
    { line: 'troupe replay repro/order-42-873.capsule.json', meaning: 'What each entry changed, and where it failed.' },
    { line: 'troupe replay repro/order-42-873.capsule.json --seq 120', meaning: 'The whole state after entry 120.' },
  ],
  exitCodes: {
    0: 'Nothing failed.',
    1: 'The failure is there.',
    2: 'Arguments, config file or capsule can not be used.',
  },
  async run(context) {
    const { config } = await context.requireConfig('replay');
    const expectation = await readExpectation(context);
    const { openCapsule, parseCapsule, replaySteps, isSameFailure } = await import('@troupe/inspect');
    let capsule = parseCapsule(await readJson(context));
    if (context.has('shrink')) {
      ({ capsule } = await shrink(context, capsule, config.actors, expectation));
      await writeFile(fileOf(context), `${JSON.stringify(capsule, null, 1)}\n`, { mode: 0o600 });
    }
    const open = openCapsule(capsule, config.actors);
    const onlySeq = context.whole('seq');
    let shown = 0;
    let failed = false;
    for (const step of replaySteps(open, expectation?.check)) {
      failed ||=
        step.failure !== undefined && (capsule.failure === undefined || isSameFailure(step.failure, capsule.failure));
      if (onlySeq !== undefined && step.entry.seq !== onlySeq) continue;
      shown++;
      show(context, open.definition, step, onlySeq !== undefined);
    }
    if (onlySeq !== undefined && shown === 0)
      throw usageError(`There is no entry ${onlySeq} in the capsule. It has ${seqsOf(capsule)}.`);
    const verdict = failed ? 'The failure is there.' : 'The failure is not there.';
    context.out.note(`${verdict} ${capsule.entries.length} entries of ${capsule.actor}.`);
    return failed ? 1 : 0;
  },
};

function show(
  context: CommandContext,
  definition: Parameters<typeof viewStep>[0],
  step: ReplayedStep,
  whole: boolean,
): void {
  const view = viewStep(definition, step, whole);
  const state = view.state === undefined ? '' : `\n${showValue({ value: view.value, context: view.state.context })}`;
  context.out.answer(view, `${showStep(step, view, context.out.style)}${state}`);
}

function fileOf(context: CommandContext): string {
  return resolve(context.io.cwd, context.args[0]!);
}

/** @throws TroupeError `Usage` */
async function readJson(context: CommandContext): Promise<unknown> {
  try {
    return JSON.parse(await readFile(fileOf(context), 'utf8')) as unknown;
  } catch (cause) {
    throw usageError(`${context.args[0]} can't be read: ${(cause as Error).message}.`);
  }
}

function seqsOf({ entries }: Capsule): string {
  const seqs = entries.map(({ seq }) => seq);
  return seqs.length <= 12 ? seqs.join(', ') : `${seqs.length} entries from ${seqs[0]} to ${seqs.at(-1)}`;
}
