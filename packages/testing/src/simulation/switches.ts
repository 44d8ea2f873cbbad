/** The guards that a simulation can do without, by the numbers of docs/design/ownership.md. */
import { stepRules } from '@troupe/core/internal';
import { rules, sizes } from '@troupe/runtime/internal';

type RuntimeRule = keyof typeof rules;
type StepRule = keyof typeof stepRules;

interface Guard {
  readonly what: string;
  readonly runtime?: readonly RuntimeRule[];
  readonly step?: readonly StepRule[];
  /** Violations that do not count, because a second guard is off only to bare the first. */
  readonly blind?: readonly string[];
  /** Done by the simulated world itself. */
  readonly world?: 'reply-early';
}

/** What R4-age is seen by. */
const YOUNG = 'purged what is younger than a lease';

export const GUARDS = {
  R1: { what: 'a snapshot waits for what was sent before it', runtime: ['snapshotAfterSends'] },
  R2: { what: 'the done mark is contiguous', runtime: ['doneContiguous'] },
  R3: { what: 'checkpoints are written by compare-and-set', runtime: ['checkpointCompared'] },
  'R3-epoch': { what: 'a new owner writes its epoch before it reads', runtime: ['epochFirst'] },
  'R3-waking': { what: 'what is being woken stays on the list', runtime: ['wakingListed'] },
  R4: { what: 'purge only what snapshots cover', runtime: ['purgeCovered'] },
  'R4-acknowledged': {
    what: 'purge by an acknowledged checkpoint (and by age: what is old has long been acknowledged)',
    runtime: ['purgeAcknowledged', 'purgeAged'],
    blind: [YOUNG],
  },
  'R4-age': { what: 'nothing young is purged', runtime: ['purgeAged'] },
  R5: { what: 'effects need a fresh lease', runtime: ['freshLease'] },
  'R5-records': { what: "the partitions' records are read in the same round", runtime: ['recordsRead'] },
  R6: { what: 'being at the head expires', runtime: ['headExpires'] },
  'R6-epoch': {
    what: 'the epoch is read again at the head (and with every renewal)',
    runtime: ['epochAgain', 'recordsRead'],
    blind: ['an effect started before the records were read'],
  },
  R7: { what: 'a snapshot of another owner is never overwritten', runtime: ['snapshotAdopted'] },
  'R7-compare': { what: 'snapshots are written by compare-and-set', runtime: ['snapshotCompared'] },
  R8: { what: 'snapshots are read from the leader', runtime: ['leaderReads'] },
  R9: { what: 'one unconfirmed publish per sender and receiver', runtime: ['lanes'] },
  'R9-watermark': { what: 'a message below the watermark is a repeat', step: ['senderWatermark'] },
  R10: { what: 'task ids are forgotten by time', step: ['tasksByTime'] },
  'R10-senders': { what: 'senders are forgotten by time', step: ['sendersByTime'] },
  'R10-time': { what: 'time in a state never goes back', step: ['timeForwards'] },
  'R10-refusals': { what: 'refusals are remembered', step: ['refusalsRemembered'] },
  R11: { what: 'retry: never goes by a journaled claim', runtime: ['claims'] },
  R12: { what: 'a wake-up is removed after its entry is journaled', runtime: ['tickJournaled'] },
  R13: { what: 'an outcome is told after the entry was folded', world: 'reply-early' },
  'R13-tasks': { what: 'a task id takes effect once', step: ['taskOnce'] },
  'R13-effects': { what: 'the first outcome of an effect counts', step: ['firstOutcome'] },
  R14: { what: 'no effect before the head', runtime: ['catchUp'] },
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof GUARDS;

export function isGuard(name: string): name is GuardName {
  return Object.hasOwn(GUARDS, name);
}

/** Kinds of violation that do not count while these guards are off. */
export function blindFor(names: readonly GuardName[]): ReadonlySet<string> {
  return new Set(names.flatMap((name) => (GUARDS[name] as Guard).blind ?? []));
}

/** Purge reaches in these worlds what is older than this, ms: longer than a lease, shorter than the longest freeze. */
const PURGE_AGE_MS = 20_000;

/** Runs with some guards off; everything is as before afterwards. */
export async function withoutGuards<T>(names: readonly GuardName[], run: () => Promise<T>): Promise<T> {
  const before = { rules: { ...rules }, stepRules: { ...stepRules }, sizes: { ...sizes } };
  sizes.purgeAgeMsMin = PURGE_AGE_MS;
  for (const name of names) {
    const guard: Guard = GUARDS[name];
    for (const rule of guard.runtime ?? []) rules[rule] = false;
    for (const rule of guard.step ?? []) stepRules[rule] = false;
  }
  try {
    return await run();
  } finally {
    Object.assign(rules, before.rules);
    Object.assign(stepRules, before.stepRules);
    Object.assign(sizes, before.sizes);
  }
}
