/**
 * Profiles of this very process, through V8's inspector.
 *
 * Invariants
 * 1. One profile at a time; it ends by itself after `SECONDS_MAX`, whoever forgot it.
 * 2. Files are readable by their owner only, and at most `FILES_MAX` are kept: the oldest go.
 * 3. Nothing is sampled, wrapped or measured between profiles.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { getHeapSnapshot } from 'node:v8';
import { Script } from 'node:vm';
import { TroupeError } from '@troupe/wire';
import { analyseProfile, type Part, type ProfileReport, placeOf, TYPE_FRAME } from './analyse.ts';
import { flamePage } from './flame-page.ts';
import { machineFunctions, type WalkedMachine } from './machine-functions.ts';

export const SECONDS_MAX = 300;
/** Time between two samples, microseconds. */
export const SAMPLE_EVERY_US = 1_000;
/** Bytes allocated between two samples of allocations. */
const ALLOCATION_EVERY_BYTES = 32_768;
/** A heap larger than this is not written out: that would take as much again, and stop the process for minutes. */
export const HEAP_BYTES_MAX = 1_500_000_000;
const FILES_MAX = 8;

/** A machine whose functions are to be told by name. */
export interface ProfiledType {
  readonly type: string;
  readonly machine: WalkedMachine;
}

export interface ProfileFile {
  readonly name: string;
  /** On this machine. */
  readonly path: string;
  readonly bytes: number;
}

export interface ProfileEnd {
  readonly report: ProfileReport;
  readonly files: readonly ProfileFile[];
}

export class Profiler {
  readonly #types: readonly ProfiledType[];
  readonly #title: string;
  readonly #frames = new Map<string, <T>(call: () => T) => T>();
  #files: ProfileFile[] = [];
  #dir: string | undefined;
  #session: Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<ProfileEnd> | undefined;
  #parts: ReadonlyMap<string, Part> = new Map();
  #startedMs = 0;

  /** @param title is shown on pages */
  constructor(types: readonly ProfiledType[], title: string) {
    this.#types = types;
    this.#title = title;
  }

  get running(): boolean {
    return this.#session !== undefined;
  }

  /** Runs the step of an actor in a frame that the profile can tell by its type. */
  around<T>(type: string, call: () => T): T {
    let frame = this.#frames.get(type);
    if (frame === undefined) {
      const script = new Script('(function step(call) { return call(); })', { filename: `${TYPE_FRAME}${type}` });
      frame = script.runInThisContext() as <T>(call: () => T) => T;
      this.#frames.set(type, frame);
    }
    return frame(call);
  }

  /**
   * Begins to sample.
   * @param onEnd told once it has ended, by `stop` or by itself
   * @throws TroupeError `ConfigInvalid` while one runs already.
   */
  async start(seconds: number, onEnd: () => void): Promise<void> {
    if (this.#session !== undefined)
      throw new TroupeError(
        'ConfigInvalid',
        'A profile runs already. End it with troupe profile stop, and take what it found.',
      );
    const session = new Session();
    this.#session = session;
    this.#ending = undefined;
    session.connect();
    try {
      this.#parts = await locate(session, this.#types);
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
      await session.post('HeapProfiler.enable');
      await session.post('HeapProfiler.startSampling', { samplingInterval: ALLOCATION_EVERY_BYTES });
      await session.post('Profiler.start');
    } catch (error) {
      session.disconnect();
      this.#session = undefined;
      throw error;
    }
    this.#startedMs = Date.now();
    const end = (): void => {
      this.#ending = this.#end(session).finally(onEnd);
      this.#ending.catch(() => undefined);
    };
    this.#timer = setTimeout(end, Math.min(seconds, SECONDS_MAX) * 1_000);
    this.#timer.unref();
  }

  /** Ends the profile, or takes what one found that has ended by itself. @throws TroupeError `NotFound` when there is none. */
  async stop(onEnd: () => void): Promise<ProfileEnd> {
    clearTimeout(this.#timer);
    if (this.#session !== undefined && this.#ending === undefined)
      this.#ending = this.#end(this.#session).finally(onEnd);
    const ending = this.#ending;
    if (ending === undefined)
      throw new TroupeError(
        'NotFound',
        'No profile was begun at this worker. Begin one with troupe profile start or run.',
      );
    return ending;
  }

  /** The whole heap, as Chrome's tools read it. Stops the process while it is taken. */
  async heap(): Promise<ProfileFile> {
    const { heapUsed } = process.memoryUsage();
    if (heapUsed > HEAP_BYTES_MAX)
      throw new TroupeError(
        'ConfigInvalid',
        `The heap holds ${heapUsed} bytes, more than ${HEAP_BYTES_MAX}: writing it out would stop the worker for minutes. Sample allocations instead, with troupe profile run.`,
      );
    const name = `heap-${Date.now()}.heapsnapshot`;
    const path = join(this.#folder(), name);
    await finished(getHeapSnapshot().pipe(createWriteStream(path, { mode: 0o600 })));
    return this.#keep(name, path);
  }

  /** A file that is kept. @throws TroupeError `NotFound` */
  file(name: string): ProfileFile {
    const found = this.#files.find((one) => one.name === name);
    if (found === undefined)
      throw new TroupeError('NotFound', `The worker keeps no profile file ${JSON.stringify(name.slice(0, 100))}.`);
    return found;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#session?.disconnect();
    this.#session = undefined;
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true });
    this.#files = [];
  }

  async #end(session: Session): Promise<ProfileEnd> {
    try {
      const { profile } = await session.post('Profiler.stop');
      const { profile: allocations } = await session.post('HeapProfiler.stopSampling');
      const at = this.#startedMs;
      const report = analyseProfile(profile, this.#parts);
      const files = [
        this.#write(`cpu-${at}.cpuprofile`, JSON.stringify(profile)),
        this.#write(`allocations-${at}.heapprofile`, JSON.stringify(allocations)),
        this.#write(`flame-${at}.html`, flamePage(profile, this.#title)),
      ];
      return { report, files };
    } finally {
      session.disconnect();
      this.#session = undefined;
    }
  }

  #write(name: string, text: string): ProfileFile {
    const path = join(this.#folder(), name);
    writeFileSync(path, text, { mode: 0o600 });
    return this.#keep(name, path);
  }

  #keep(name: string, path: string): ProfileFile {
    const file = { name, path, bytes: statSync(path).size };
    this.#files.push(file);
    for (const old of this.#files.splice(0, this.#files.length - FILES_MAX)) rmSync(old.path, { force: true });
    return file;
  }

  #folder(): string {
    this.#dir ??= mkdtempSync(join(tmpdir(), 'troupe-profile-'));
    return this.#dir;
  }
}

/** Where the functions of machines stand, by the engine's own word. A place that two names share is nobody's. */
async function locate(session: Session, types: readonly ProfiledType[]): Promise<ReadonlyMap<string, Part>> {
  const key = `__troupe_profiled_${Math.random().toString(36).slice(2)}`;
  const slot = globalThis as unknown as Record<string, unknown>;
  const parts = new Map<string, Part>();
  const shared = new Set<string>();
  try {
    for (const { type, machine } of types) {
      for (const { name, call } of machineFunctions(machine)) {
        slot[key] = call;
        const { result } = await session.post('Runtime.evaluate', { expression: `globalThis.${key}` });
        if (result.objectId === undefined) continue;
        const { internalProperties = [] } = await session.post('Runtime.getProperties', {
          objectId: result.objectId,
          ownProperties: true,
        });
        const where = internalProperties.find((one) => one.name === '[[FunctionLocation]]')?.value?.value;
        if (where === undefined) continue;
        const place = placeOf(where);
        if (parts.has(place)) shared.add(place);
        parts.set(place, { type, name });
        await session.post('Runtime.releaseObject', { objectId: result.objectId });
      }
    }
  } finally {
    delete slot[key];
  }
  for (const place of shared) parts.delete(place);
  return parts;
}
