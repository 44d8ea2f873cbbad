/** A capsule out of an actor's journal. */
import { type ActorDefinition, type ActorState, definitionFor, parseEffectId, storeState } from '@troupe/core';
import { encodeState, formatAddress, TroupeError } from '@troupe/wire';
import type { FoldedStep } from '../fold.ts';
import { readSetAside } from '../set-aside.ts';
import type { History, Timeline } from '../time-travel.ts';
import {
  CAPSULE_FORMAT,
  type Capsule,
  type CapsuleEntry,
  finalOf,
  openCapsule,
  toBase64,
  writeEntry,
} from './capsule.ts';
import { checkExpectation, type Expectation, replaySteps } from './replay.ts';
import { failureAmong, isSameFailure, type StepFailure } from './step-failure.ts';

export interface MakeCapsuleOptions {
  /** Entry that failed. Default: where the expectation breaks first, else the newest that failed, else the newest entry. */
  readonly seq?: number;
  /** Begin at the newest state stored before the failure instead of at the oldest entry that can be shown. */
  readonly fromSnapshot?: boolean;
  readonly expectation?: Expectation;
  /** Takes secrets out of states and entries, keeping their shape. */
  readonly redact: { collect(value: unknown): void; apply(value: unknown): unknown; readonly count: number };
  /** Entries at most. Default 100,000. */
  readonly entriesMax?: number;
}

export interface MadeCapsule {
  readonly capsule: Capsule;
  /** False: without the secrets that were taken out, the code at hand doesn't fail in this way. */
  readonly reproduces: boolean;
}

const ENTRIES_MAX = 100_000;
const PAGE = 1_000;

interface Recorded {
  readonly base: ActorState;
  readonly entries: readonly {
    readonly folded: Pick<FoldedStep, 'entry' | 'bytes'>;
    readonly src: string | undefined;
  }[];
  readonly last: ActorState;
  readonly failure: StepFailure | undefined;
}

/**
 * Makes a capsule of an actor, up to the entry that failed. Reads only.
 *
 * @throws TroupeError `NotFound` when there is no such entry, `JournalGap` when what is needed is purged, `UnknownActorType`
 *   without the definition, `PayloadTooLarge` for more entries than `entriesMax`.
 */
export async function makeCapsule(history: History, line: Timeline, options: MakeCapsuleOptions): Promise<MadeCapsule> {
  const { address } = line;
  const definition = history.definition(address.type);
  if (definition === undefined) {
    await line.stateAt(options.seq);
    throw new Error('unreachable: a state without a definition');
  }
  const recorded = await record(line, definition, options);
  const { base, entries, failure, last } = recorded;
  const { redact } = options;
  const code = definitionFor(definition, last.version) ?? definition;
  const stored = base.seq === 0 ? undefined : storeState(definitionFor(definition, base.version) ?? definition, base);
  redact.collect(stored);
  for (const { folded } of entries) redact.collect(folded.entry.body);
  const written: CapsuleEntry[] = entries.map(({ folded: { entry, bytes }, src }) =>
    writeEntry({ seq: entry.seq, at: entry.at, size: bytes, body: redact.apply(entry.body) as never }, src),
  );
  const setAside = await readSetAside(history.ports, history.ports.journal.partitionOf(address));
  const capsule: Capsule = {
    format: CAPSULE_FORMAT,
    actor: formatAddress(address),
    definition: { version: code.version, hash: code.hash, engine: code.driver.engine },
    ...(stored === undefined ? {} : { base: { seq: base.seq, state: toBase64(encodeState(redact.apply(stored))) } }),
    entries: written,
    setAside: written.map(({ seq }) => seq).filter((seq) => setAside.has(seq)),
    ...(failure === undefined ? {} : { failure: redact.apply(failure) as StepFailure }),
    redacted: redact.count,
  };
  return finish(capsule, definition, options.expectation);
}

/** Folds it again, as it will be folded by everybody: without secrets, and by the newest code. */
function finish(capsule: Capsule, definition: ActorDefinition, expectation: Expectation | undefined): MadeCapsule {
  const open = openCapsule(capsule, [definition]);
  let state = open.base;
  for (const { after, failure } of replaySteps(open, expectation)) {
    state = after;
    if (failure !== undefined && capsule.failure !== undefined && isSameFailure(failure, capsule.failure))
      return { capsule, reproduces: true };
  }
  if (capsule.failure !== undefined) return { capsule, reproduces: false };
  return { capsule: { ...capsule, final: finalOf(definition, state) }, reproduces: true };
}

async function record(line: Timeline, definition: ActorDefinition, options: MakeCapsuleOptions): Promise<Recorded> {
  const { seq: wantedSeq, expectation, entriesMax = ENTRIES_MAX } = options;
  const entries: Recorded['entries'][number][] = [];
  const found: { at: number; state: ActorState; failure: StepFailure }[] = [];
  let base: ActorState | undefined;
  let last: ActorState | undefined;
  let next: number | undefined = await beginOf(line, options);
  pages: while (next !== undefined) {
    const upTo = wantedSeq === undefined ? {} : { toSeq: wantedSeq };
    const page: Awaited<ReturnType<Timeline['folded']>> = await line.folded({ fromSeq: next, limit: PAGE, ...upTo });
    for (const folded of page.steps) {
      base ??= folded.before;
      last = folded.after;
      if (entries.length >= entriesMax) throw tooMany(line, entriesMax);
      entries.push({ folded: { entry: folded.entry, bytes: folded.bytes }, src: srcOf(folded) });
      const failure = failureIn(definition, folded, expectation);
      if (failure === undefined) continue;
      // Only the last one is needed, or the first against an expectation.
      found[0] = { at: entries.length, state: folded.after, failure };
      if (expectation !== undefined && wantedSeq === undefined) break pages;
    }
    next = page.next;
  }
  if (base === undefined || last === undefined || (wantedSeq !== undefined && last.seq !== wantedSeq))
    throw notFound(line, wantedSeq);
  const failed = found[0];
  if (failed === undefined || (wantedSeq !== undefined && failed.failure.seq !== wantedSeq))
    return { base, entries, last, failure: undefined };
  return { base, entries: entries.slice(0, failed.at), last: failed.state, failure: failed.failure };
}

function failureIn(
  definition: ActorDefinition,
  folded: FoldedStep,
  expectation: Expectation | undefined,
): StepFailure | undefined {
  if (expectation === undefined) return failureAmong(folded.entry.seq, folded.effects);
  const { driver } = definitionFor(definition, folded.after.version) ?? definition;
  return checkExpectation(driver, folded, expectation);
}

/** The effect that an outcome ends. */
function srcOf({ entry: { body }, before }: FoldedStep): string | undefined {
  if (body.kind !== 'outcome' && body.kind !== 'stream') return undefined;
  const id = parseEffectId(body.effectId);
  return id === undefined ? undefined : before.effects.get(`${id.seq}.${id.n}`)?.src;
}

async function beginOf(line: Timeline, { fromSnapshot, seq }: MakeCapsuleOptions): Promise<number> {
  if (fromSnapshot !== true) return 1;
  const span = await line.span();
  const before = span?.snapshots.filter((one) => seq === undefined || one.seq < seq).at(-1);
  return (before?.seq ?? 0) + 1;
}

function notFound({ address }: Timeline, seq: number | undefined): TroupeError {
  const actor = formatAddress(address);
  const what = seq === undefined ? 'entries that are kept' : `entry ${seq} among those that are kept`;
  return new TroupeError('NotFound', `${actor} has no ${what}. troupe history ${actor} shows those there are.`, {
    actor,
  });
}

function tooMany({ address }: Timeline, entriesMax: number): TroupeError {
  const actor = formatAddress(address);
  return new TroupeError(
    'PayloadTooLarge',
    `${actor} has more than ${entriesMax} entries that are kept. Begin at its newest stored state, with --from-snapshot.`,
    { actor },
  );
}
