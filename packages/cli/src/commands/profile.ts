import { setTimeout as sleep } from 'node:timers/promises';
import { type ProfileFile, SECONDS_MAX } from '@troupe/diagnostics';
import type { Command } from '../command.ts';
import { askProfiler, chosenWorker, fetchFiles, finishProfile, folderOf } from '../operator/profiles.ts';
import { usageError } from '../usage-error.ts';

const WORKER = {
  name: 'WORKER',
  meaning: 'Its id, as troupe workers lists it. Default: the only one.',
  optional: true,
};
const OUT = {
  out: { meaning: 'Folder for the files, readable by you only.', placeholder: 'DIR', default: 'troupe-profile' },
};
const SECONDS_DEFAULT = 10;

/** @throws TroupeError `Usage` */
function secondsOf(seconds = SECONDS_DEFAULT): number {
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw usageError(`--seconds is ${seconds}: it is 1 to ${SECONDS_MAX}.`);
}

export const profileRun: Command = {
  name: 'profile run',
  summary: 'Sample what a live worker does, for some seconds.',
  description:
    'Says which actor types, actions and functions the time went to, and brings a .cpuprofile and a .heapprofile (for Chrome or an editor) and a flame graph as one page. Sampling once a millisecond slows the worker a little; nothing is restarted.',
  args: [WORKER],
  options: { seconds: { meaning: 'How long.', placeholder: 'N', default: '10' }, ...OUT },
  reach: 'operator',
  examples: [
    { line: 'troupe profile run --seconds 30', meaning: 'Of the only worker.' },
    { line: 'troupe profile run box-2 --json', meaning: 'One of several; {"worker","report","files"}.' },
  ],
  async run(context) {
    const seconds = secondsOf(context.whole('seconds'));
    const open = await context.operator();
    const worker = await chosenWorker(context, open);
    await askProfiler(open, worker, { op: 'start', seconds: Math.min(SECONDS_MAX, seconds + 1) });
    context.out.note(`${worker} is sampled for ${seconds} s`);
    await sleep(seconds * 1_000, undefined, { signal: context.io.signal }).catch(() => undefined);
    await finishProfile(context, open, worker);
    return undefined;
  },
};

export const profileStart: Command = {
  name: 'profile start',
  summary: 'Begin to sample a live worker; profile stop ends it.',
  description: `It ends by itself after ${SECONDS_MAX} s, and keeps what it found until profile stop.`,
  args: [WORKER],
  options: {},
  reach: 'operator',
  examples: [{ line: 'troupe profile start w-6232d7e6-1', meaning: 'Then do what is slow.' }],
  async run(context) {
    const open = await context.operator();
    const worker = await chosenWorker(context, open);
    const started = await askProfiler<object>(open, worker, { op: 'start', seconds: SECONDS_MAX });
    context.out.answer(
      { worker, ...started },
      `${worker} is sampled until troupe profile stop, ${SECONDS_MAX} s at most`,
    );
    return undefined;
  },
};

export const profileStop: Command = {
  name: 'profile stop',
  summary: 'End what profile start began, and say what it found.',
  args: [WORKER],
  options: OUT,
  reach: 'operator',
  examples: [{ line: 'troupe profile stop w-6232d7e6-1 --out slow', meaning: 'Files go to ./slow.' }],
  async run(context) {
    const open = await context.operator();
    await finishProfile(context, open, await chosenWorker(context, open));
    return undefined;
  },
};

export const profileHeap: Command = {
  name: 'profile heap',
  summary: 'Bring a snapshot of the heap of a live worker.',
  description:
    'For Chrome (Memory, Load). It holds everything that the worker has in memory, secrets too. The worker stands still while it is written, a second or more per 100 MB; with more than 1.5 GB it is refused.',
  args: [WORKER],
  options: OUT,
  reach: 'operator',
  examples: [{ line: 'troupe profile heap box-1', meaning: 'Twice, minutes apart, shows what grows.' }],
  async run(context) {
    const open = await context.operator();
    const worker = await chosenWorker(context, open);
    const { files } = await askProfiler<{ files: readonly ProfileFile[] }>(open, worker, { op: 'heap' });
    const paths = await fetchFiles(open, worker, files, folderOf(context));
    context.out.answer({ worker, files: paths }, paths.join('\n'));
    return undefined;
  },
};
