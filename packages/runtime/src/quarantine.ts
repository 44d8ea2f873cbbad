/**
 * Entries that end the process of whoever steps them: how they are found, and what becomes of them.
 *
 * Invariants
 * 1. An owner that ends without handing over leaves one death behind; one that has folded all that was there at its claim, and
 *    all that was parked, takes them back.
 * 2. From `CAREFUL_AFTER_DEATHS` on, an owner goes entry by entry: it marks each in the checkpoint before its step and after it.
 * 3. An entry that was marked when its owner ended, `QUARANTINE_AFTER_DEATHS` times, is listed. The list is written with the
 *    claim, so before anything is folded, and only grows.
 * 4. What is listed is never stepped: it is refused (`Quarantined`), with a dead letter and an error outcome.
 */
import type { ActorDefinition } from '@troupe/core';
import { TroupeError } from '@troupe/wire';
import type { Checkpoint } from './checkpoint.ts';

/** Owners in a row that ended before they had caught up; then the next one goes entry by entry. */
export const CAREFUL_AFTER_DEATHS = 2;
/** Deaths inside the step of one entry; then it is set aside. */
export const QUARANTINE_AFTER_DEATHS = 3;
/** Listed entries of one actor under the same code; then it is suspended, for it is not the entries that kill. */
export const KILLS_MAX = 3;
/** Listed entries of a partition. Those below the mark are forgotten first, for nobody folds them again. */
export const QUARANTINE_MAX = 1_000;
/** Entries whose deaths are counted at once. */
const SUSPECTS_MAX = 64;

/** An entry that is being stepped. */
export interface Stepping {
  readonly seq: number;
  /** Its actor, as in a subject: `type.key`. */
  readonly actor: string;
  /** Of the code that steps it. */
  readonly hash: string;
}

/** An entry that is never stepped again. */
export type Quarantined = Stepping;

/** What a checkpoint says of deaths. */
export interface Deaths {
  /** Owners in a row that ended without handing over and before they had caught up. */
  readonly deaths?: number;
  /** The entry inside whose step the owner is. */
  readonly stepping?: Stepping | undefined;
  /** Deaths by the sequence inside whose step they happened. */
  readonly suspects?: Readonly<Record<string, number>>;
  readonly quarantine: readonly Quarantined[];
}

/** What a new owner makes of the checkpoint that it finds (invariants 1 and 3). */
export function deathsAfter(before: Checkpoint): Deaths {
  const { quarantine, stepping } = before;
  if (before.released)
    return { deaths: before.deaths ?? 0, stepping: undefined, suspects: before.suspects ?? {}, quarantine };
  const deaths = (before.deaths ?? 0) + 1;
  if (stepping === undefined) return { deaths, stepping: undefined, suspects: before.suspects ?? {}, quarantine };
  const count = (before.suspects?.[stepping.seq] ?? 0) + 1;
  const { [String(stepping.seq)]: _, ...others } = before.suspects ?? {};
  if (count < QUARANTINE_AFTER_DEATHS) {
    const suspects = { ...bounded(others), [String(stepping.seq)]: count };
    return { deaths, stepping: undefined, suspects, quarantine };
  }
  return { deaths, stepping: undefined, suspects: others, quarantine: listed(quarantine, stepping, before.mark) };
}

/** Whether an owner that starts from here goes entry by entry. */
export function isCareful(checkpoint: Deaths): boolean {
  return (checkpoint.deaths ?? 0) >= CAREFUL_AFTER_DEATHS;
}

/** Why an entry is not stepped. */
export function quarantined({ seq, actor }: Quarantined): TroupeError {
  return new TroupeError(
    'Quarantined',
    `Entry ${seq} of ${actor.replace('.', '/')} was set aside: ${QUARANTINE_AFTER_DEATHS} times the process of a worker ended inside its step. Correct the machine, then redrive the dead letter.`,
    { details: { seq, deaths: QUARANTINE_AFTER_DEATHS } },
  );
}

/** @throws TroupeError `ActorSuspended` for an actor whose entries keep ending workers under this code. */
export function assertHarmless(list: readonly Quarantined[], actor: string, { hash, version }: ActorDefinition): void {
  const seqs = list.filter((one) => one.actor === actor && one.hash === hash).map((one) => one.seq);
  if (seqs.length < KILLS_MAX) return;
  throw new TroupeError(
    'ActorSuspended',
    `${actor.replace('.', '/')} ends its workers: ${seqs.length} of its entries were set aside (${seqs.slice(0, 10).join(', ')}). Correct the definition, and deploy it with a version above ${version}.`,
    { details: { quarantined: seqs.slice(0, 100) } },
  );
}

/** Listed entries that a snapshot up to `seq` covers without having skipped them. */
export function unskipped(
  list: readonly Quarantined[],
  actor: string,
  seq: number,
  skipped: readonly number[],
): readonly number[] {
  return list
    .filter((one) => one.actor === actor && one.seq <= seq && !skipped.includes(one.seq))
    .map((one) => one.seq);
}

function listed(list: readonly Quarantined[], one: Quarantined, mark: number): readonly Quarantined[] {
  const rest = list.filter(({ seq }) => seq !== one.seq);
  const next = [...rest, one].sort((a, b) => a.seq - b.seq);
  return next.length > QUARANTINE_MAX && next[0]!.seq < mark ? next.slice(1) : next.slice(0, QUARANTINE_MAX);
}

/** The most suspicious ones. */
function bounded(suspects: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const all = Object.entries(suspects);
  if (all.length < SUSPECTS_MAX) return suspects;
  return Object.fromEntries(all.sort(([, a], [, b]) => b - a).slice(0, SUSPECTS_MAX - 1));
}
