/** Asking a worker's profiler, and bringing its files here. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '@troupe/agent/internal';
import type { ProfileEnd, ProfileFile } from '@troupe/diagnostics';
import type { OpenPorts } from '@troupe/service-worker';
import { encodePayload, type FailureRecord, fromFailureRecord, TroupeError } from '@troupe/wire';
import type { CommandContext } from '../context.ts';
import { showLength, table } from '../output/format.ts';
import { usageError } from '../usage-error.ts';
import { readLeases } from './workers.ts';

/** A heap snapshot stops the worker for seconds. */
const ANSWER_MS = 120_000;
/** Largest file that is brought here. */
const FILE_BYTES_MAX = 4_000_000_000;

/** The worker named, or the only one. @throws TroupeError `Usage`, `NotFound` */
export async function chosenWorker(context: CommandContext, open: OpenPorts): Promise<string> {
  const [wanted] = context.args;
  const ids = (await readLeases(open)).map(({ id }) => id);
  if (wanted === undefined) {
    if (ids.length === 1) return ids[0]!;
    throw usageError(
      ids.length === 0 ? 'No worker is alive: nothing to profile.' : `Name one of the workers: ${ids.join(', ')}.`,
    );
  }
  if (ids.includes(wanted)) return wanted;
  const guess = nearest(wanted, ids);
  throw new TroupeError(
    'NotFound',
    `There is no worker ${JSON.stringify(wanted)}. ${guess === undefined ? 'troupe workers lists those that there are.' : `Did you mean ${guess}?`}`,
  );
}

/** @throws TroupeError what the worker says; `NotFound` when it doesn't answer. */
export async function askProfiler<T>(open: OpenPorts, worker: string, request: object): Promise<T> {
  const subject = open.config.subjects.control('profile', worker);
  const answer = await open.ports.bus
    .request(subject, encodePayload(request), { timeoutMs: ANSWER_MS })
    .catch((error) => {
      const { kind } = error as { readonly kind?: string };
      if (kind !== 'no-responders' && kind !== 'timeout') throw error;
      throw new TroupeError(
        'Timeout',
        `Worker ${worker} does not answer: it is frozen, cut off or gone, or older than profiles are. See troupe workers.`,
      );
    });
  const value = JSON.parse(new TextDecoder().decode(answer.payload)) as T & { readonly error?: FailureRecord };
  if (value.error !== undefined) throw fromFailureRecord(value.error);
  return value;
}

/** Copies files of a worker into a folder, readable by their owner only. @returns where they are now. */
export async function fetchFiles(
  open: OpenPorts,
  worker: string,
  files: readonly ProfileFile[],
  folder: string,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const paths: string[] = [];
  for (const { name } of files) {
    if (!/^[a-z]+-\d+\.[a-z]+$/.test(name))
      throw new TroupeError(
        'ConfigInvalid',
        `Worker ${worker} names a file ${JSON.stringify(name)}, which is not taken.`,
      );
    const path = join(folder, name);
    const fd = openSync(path, 'w', 0o600);
    try {
      for (let offset = 0, end = false; !end && offset < FILE_BYTES_MAX; ) {
        const chunk = await askProfiler<{ bytes: string; end: boolean }>(open, worker, {
          op: 'read',
          file: name,
          offset,
        });
        const bytes = Buffer.from(chunk.bytes, 'base64');
        writeSync(fd, bytes);
        offset += bytes.length;
        end = chunk.end || bytes.length === 0;
      }
    } finally {
      closeSync(fd);
    }
    paths.push(path);
  }
  return paths;
}

/** Ends a profile, brings its files, and shows what it found. */
export async function finishProfile(context: CommandContext, open: OpenPorts, worker: string): Promise<void> {
  const { report, files } = await askProfiler<ProfileEnd>(open, worker, { op: 'stop' });
  const paths = await fetchFiles(open, worker, files, folderOf(context));
  const rows = (list: ProfileEnd['report']['types']): string =>
    table(
      ['SELF', 'TOTAL', 'FOR', 'NAME'],
      list.map(({ selfMs, totalMs, type = '-', name }) => [
        `${selfMs.toFixed(1)} ms`,
        `${totalMs.toFixed(1)} ms`,
        type,
        name,
      ]),
    );
  const parts: readonly (readonly [string, ProfileEnd['report']['types']])[] = [
    ['Actor types', report.types],
    ['Actions, guards and what is invoked', report.parts],
    ['Functions, by their own time', report.bySelf],
    ['Functions, with what they call', report.byTotal],
  ];
  const head = `${worker}: ${showLength(report.durationMs)}, of which ${report.busyMs.toFixed(0)} ms were busy`;
  const body = parts.map(([title, list]) => `${title}\n${list.length === 0 ? 'none' : rows(list)}`);
  context.out.answer({ worker, report, files: paths }, [head, ...body, `Files\n${paths.join('\n')}`].join('\n\n'));
}

export function folderOf(context: CommandContext): string {
  return join(context.io.cwd, context.text('out') ?? 'troupe-profile');
}
