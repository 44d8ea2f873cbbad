/**
 * The whole example, from nothing to answers.
 *
 * Invariants
 * 1. What was started is stopped, last first, however it ends: well, by an error, or by a signal.
 * 2. Answers go to stdout; everything about how it goes, to stderr.
 *
 * Server, worker and the reading of the disk start at the same time; what takes long to load is loaded meanwhile.
 */
import { join } from 'node:path';
import { lockData } from './data-lock.ts';
import { type Found, findFolderDocuments, findPackageDocuments } from './documents.ts';
import { chooseNats, startNats } from './nats.ts';
import type { DeskOptions } from './options.ts';
import type { ProgressSink } from './progress.ts';
import { WorkerProcess } from './worker-process.ts';

/** The process around it. */
export interface Surround {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: ProgressSink;
  readonly stderr: ProgressSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Root of the checkout. */
  readonly rootDir: string;
  /** When the process began, on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/** Runs it. Rejects with what went wrong, after everything has been stopped. */
export async function runDesk(options: DeskOptions, around: Surround): Promise<void> {
  const broken = new AbortController();
  try {
    await runUnless(broken, options, around);
  } catch (error) {
    // Whatever failed then, failed because of this.
    throw broken.signal.aborted ? broken.signal.reason : error;
  }
}

async function runUnless(broken: AbortController, options: DeskOptions, around: Surround): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const signal = AbortSignal.any([around.signal, broken.signal]);
  const fail = (why: string): void => broken.abort(new Error(why));
  const note = (text: string): void => void around.stderr.write(`${text}\n`);

  const lock = lockData(options.dataDir);
  cleanup.defer(() => lock.release());
  const place = await chooseNats(options);
  note(place.note);
  const starting = startNats(place, options.dataDir, (log) => fail(`nats-server ended by itself. It printed:\n${log}`));
  cleanup.defer(() => starting.then((nats) => nats.close()).catch(() => undefined));
  starting.catch(() => {}); // Awaited below, but something else may fail before.
  const worker = new WorkerProcess({ natsUrl: place.url, logFile: join(options.dataDir, 'worker.log'), onExit: fail });
  cleanup.defer(() => worker.stop());
  const found = findDocuments(options, around.rootDir);
  const loading = import('./session.ts');
  await unlessAborted(signal, Promise.all([starting, worker.ready()]));
  note('worker ready');

  const { openSession } = await loading;
  const session = await openSession({
    ...around,
    natsUrl: place.url,
    alone: place.port !== undefined,
    packages: options.docs === undefined,
    signal,
    counts: () => worker.counts(),
  });
  cleanup.defer(() => session.close());
  await session.shelve(found);
  await session.askQuestions();
  if (!options.once) session.showCommands();
  // One click away, on the actor of the last question; the last line before the prompt, so that nobody overlooks it.
  if (options.gateway) {
    const inspector = await (await import('./inspector.ts')).startInspector(place.url);
    cleanup.defer(() => inspector[Symbol.asyncDispose]());
    note(`look inside: ${inspector.url}\n`);
  }
  if (!options.once) await session.prompt();
  note('stopping');
}

function findDocuments({ docs }: DeskOptions, rootDir: string): Found {
  const found = docs === undefined ? findPackageDocuments(rootDir) : findFolderDocuments(docs);
  if (found.documents.length === 0) throw new Error(`There is no Markdown in ${docs ?? rootDir}.`);
  return found;
}

/** The work's result, or the signal's reason, whichever comes first. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
