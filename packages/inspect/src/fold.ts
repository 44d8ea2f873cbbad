/**
 * Folding an actor's kept entries, for time travel.
 *
 * Invariants
 * 1. Nothing is written, nobody is asked, no effect is run.
 * 2. A state counts only when every entry up to it is known to be there: a fold goes on to the next state whose count is
 *    known (a mark, a snapshot) and must meet it, or it is `JournalGap`. Never a guess.
 * 3. Marks are kept only of folds that met.
 * 4. An entry that was set aside is refused as its owner refuses it, never stepped: its step ends processes.
 */
import {
  type ActorDefinition,
  type ActorState,
  decodeStoredState,
  definitionFor,
  type Effect,
  emptyState,
  recordTransitions,
  step,
  storedVersion,
} from '@troupe/core';
import { migrateStoredState, refuseEntry } from '@troupe/core/internal';
import {
  type ActorAddress,
  type DecodeEntryOptions,
  decodeEntry,
  decodeState,
  formatAddress,
  type JournalEntry,
  type TakenTransition,
  TroupeError,
} from '@troupe/wire';
import type { HistoryPorts, KeptSnapshot } from './history-ports.ts';
import { MARK_EVERY, type Mark, type Marks } from './marks.ts';
import { setAside } from './set-aside.ts';

/** One entry, and what it did. */
export interface FoldedStep {
  readonly entry: JournalEntry;
  readonly before: ActorState;
  readonly after: ActorState;
  readonly effects: readonly Effect[];
  /** Only when they were asked for. */
  readonly transitions: readonly TakenTransition[];
  /** Of the stored entry. */
  readonly bytes: number;
}

export interface FoldOptions {
  readonly ports: HistoryPorts;
  readonly definition: ActorDefinition;
  readonly address: ActorAddress;
  readonly marks: Marks;
  readonly decoding?: DecodeEntryOptions | undefined;
  /** Sequences that are refused and not stepped. */
  setAside(fresh: boolean): Promise<ReadonlySet<number>>;
  /** Newest first; `fresh`: as of now, and not of a moment ago. */
  snapshots(fresh: boolean): Promise<readonly KeptSnapshot[]>;
}

/** Which steps somebody wants to see. */
export interface Wanted {
  /** First sequence whose step is shown; default: none is. */
  readonly fromSeq?: number;
  /** Last sequence. Default: the newest. */
  readonly toSeq?: number;
  /** Steps shown at most; the fold ends with the last of them. Default: all. */
  readonly limit?: number;
  /** Whether the transitions taken are wanted. */
  readonly transitions?: boolean;
}

export interface Folded {
  /** As of the last entry folded that was wanted. */
  readonly state: ActorState;
  readonly steps: readonly FoldedStep[];
}

/** How often a fold is begun again because a purge came in between. */
const ATTEMPTS_MAX = 3;

/** A state whose sequence and count are known. */
type Known = Pick<Mark, 'seq' | 'count'>;

/**
 * Folds up to `toSeq`, showing the steps asked for.
 *
 * @throws TroupeError `JournalGap` when entries needed are purged, `ActorSuspended` when older code is missing.
 */
export async function foldActor(options: FoldOptions, wanted: Wanted): Promise<Folded> {
  for (let attempt = 1; ; attempt++) {
    const snapshots = await options.snapshots(attempt > 1);
    const refused = await options.setAside(attempt > 1);
    const folded = await foldOnce(options, snapshots, refused, wanted);
    if (folded !== undefined) return folded;
    options.marks.clear();
    if (attempt >= ATTEMPTS_MAX)
      throw gap(options.address, wanted.toSeq ?? wanted.fromSeq ?? Number.MAX_SAFE_INTEGER, snapshots);
  }
}

/** Undefined when entries turn out to be missing. Invariants 2 and 3. */
async function foldOnce(
  options: FoldOptions,
  snapshots: readonly KeptSnapshot[],
  refused: ReadonlySet<number>,
  wanted: Wanted,
): Promise<Folded | undefined> {
  const { definition, address, decoding = {} } = options;
  const { fromSeq = Number.MAX_SAFE_INTEGER, limit = Number.MAX_SAFE_INTEGER, transitions = false } = wanted;
  const toSeq = wanted.toSeq ?? Number.MAX_SAFE_INTEGER;
  const base = baseOf(options, snapshots, Math.min(toSeq, fromSeq - 1));
  if (base.seq === toSeq) return { state: base, steps: [] };
  const known = (seq: number): Known | undefined => firstKnown(options.marks, snapshots, seq);
  const steps: FoldedStep[] = [];
  const marks: ActorState[] = [];
  let state = base;
  let reached = base;
  let next = known(base.seq);
  let metSeq = base.seq;
  let isEnough = false;
  for await (const message of options.ports.journal.readActor(address, rangeOf(base.seq, toSeq, known(toSeq - 1)))) {
    const before = state;
    const entry = decodeEntry(message, decoding);
    const bytes = message.payload.length;
    const isWanted = entry.seq <= toSeq && steps.length < limit;
    const isShown = isWanted && entry.seq >= fromSeq;
    const run = () =>
      refused.has(entry.seq)
        ? refuseEntry(definition, before, entry, setAside(entry.seq))
        : step(definition, before, entry, bytes);
    const { result, transitions: taken } =
      isShown && transitions ? recordTransitions(run) : { result: run(), transitions: [] };
    state = result.state;
    if (isWanted) reached = state;
    if (isShown) steps.push({ entry, before, after: state, effects: result.effects, transitions: taken, bytes });
    if (state.count % MARK_EVERY === 0) marks.push(state);
    if (next !== undefined && state.seq >= next.seq) {
      if (state.seq !== next.seq || state.count !== next.count) return undefined;
      metSeq = state.seq;
      next = known(state.seq);
    }
    const isDone = entry.seq >= toSeq || steps.length >= limit;
    isEnough = isDone && (metSeq >= reached.seq || next === undefined);
    if (isEnough) break;
  }
  // Known states that were never come by: what led to them is gone.
  if (!isEnough && next !== undefined) return undefined;
  const isChecked = isEnough && metSeq >= reached.seq && metSeq > base.seq;
  if (!isChecked && !(await isWhole(options, snapshots))) return undefined;
  keep(options.marks, base, marks);
  return { state: reached, steps };
}

/** The newest known state at or before a sequence. */
function baseOf(options: FoldOptions, snapshots: readonly KeptSnapshot[], seq: number): ActorState {
  const { marks, definition, address } = options;
  const mark = marks.before(seq);
  const snapshot = snapshots.find((one) => one.seq <= seq);
  if (mark !== undefined && mark.seq >= (snapshot?.seq ?? 0)) return mark.state;
  return snapshot === undefined
    ? firstState(definition, address, snapshots.at(-1))
    : restore(definition, address, snapshot);
}

/** The oldest known state behind a sequence. */
function firstKnown(marks: Marks, snapshots: readonly KeptSnapshot[], seq: number): Known | undefined {
  const mark = marks.after(seq);
  const snapshot = snapshots.findLast((one) => one.seq > seq);
  if (mark === undefined || snapshot === undefined) return mark ?? snapshot;
  return mark.seq < snapshot.seq ? mark : snapshot;
}

/** To the end, or to where it can be checked. */
function rangeOf(baseSeq: number, toSeq: number, check: Known | undefined): { fromSeq: number; toSeq?: number } {
  const endSeq = Math.max(toSeq, check?.seq ?? 0);
  return endSeq === Number.MAX_SAFE_INTEGER ? { fromSeq: baseSeq + 1 } : { fromSeq: baseSeq + 1, toSeq: endSeq };
}

/** Behind the last state known, nothing can have been purged unless a newer snapshot covers it. */
async function isWhole({ ports, address }: FoldOptions, snapshots: readonly KeptSnapshot[]): Promise<boolean> {
  const newest = await ports.snapshots.load(ports.journal.partitionOf(address), address);
  return newest === undefined || newest.seq === snapshots[0]?.seq;
}

function keep(marks: Marks, base: ActorState, folded: readonly ActorState[]): void {
  if (base.seq > 0) marks.add(base);
  for (const state of folded) marks.add(state);
}

/** Before its first snapshot an actor was folded by the code that wrote that snapshot. */
function firstState(definition: ActorDefinition, address: ActorAddress, oldest: KeptSnapshot | undefined): ActorState {
  const version = oldest === undefined ? definition.version : storedVersion(decodeState(oldest.bytes)).version;
  const code = definitionFor(definition, version) ?? definition;
  return emptyState(address, code.version, code.hash);
}

function restore(definition: ActorDefinition, address: ActorAddress, snapshot: KeptSnapshot): ActorState {
  const stored = decodeState(snapshot.bytes);
  const code = definitionFor(definition, storedVersion(stored).version);
  return code === undefined
    ? migrateStoredState(definition, address, stored)
    : decodeStoredState(code, address, stored);
}

function gap(address: ActorAddress, atSeq: number, snapshots: readonly KeptSnapshot[]): TroupeError {
  const kept = snapshots.map((one) => one.seq);
  const wanted = atSeq === Number.MAX_SAFE_INTEGER ? 'the newest entry' : `entry ${atSeq}`;
  return new TroupeError(
    'JournalGap',
    `The state of ${formatAddress(address)} at ${wanted} can't be folded: entries before it were purged. Snapshots are kept at ${kept.join(', ') || 'none'}; ask for one of these or later.`,
    { actor: formatAddress(address), details: { atSeq, snapshots: kept } },
  );
}
