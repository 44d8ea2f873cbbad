/**
 * Whether stored states can be trusted: every kept snapshot of a sample is restored and its hash compared with the one stored
 * beside it; then the newest is folded again from the one before it (or from the beginning) and the journal, and compared.
 */
import { type ActorDefinition, decodeStoredState, definitionFor, storedVersion, storeState } from '@troupe/core';
import { type HistoryPorts, openHistory } from '@troupe/inspect';
import type { StoredSnapshot } from '@troupe/runtime';
import { type ActorAddress, decodeState, encodeState, formatAddress, hash53, isTroupeError } from '@troupe/wire';
import type { Check } from '../check.ts';
import { ok, problem, unknown } from '../finding.ts';
import type { Look } from '../look.ts';
import { someOf } from '../names.ts';

/** `kept`: restored, and nothing is left to fold it from; `other`: restored, and written by other code than is here. */
type Verdict = 'folded' | 'kept' | 'other' | { readonly wrong: string };

export const consistency: Check = {
  name: 'consistency',
  looksAt: 'a sample of stored states: restored, folded again, hashes compared',
  async run(look) {
    const { loaded } = look.project;
    if (loaded === undefined)
      return unknown(
        'consistency',
        'there is no config file here, and folding needs the definitions.',
        'troupe doctor --config troupe.config.ts',
      );
    const byType = new Map<string, ActorDefinition>(loaded.config.actors.map((one) => [one.type, one]));
    const { sample } = await look.stored();
    const wrong: { readonly actor: string; readonly why: string }[] = [];
    let folded = 0;
    let kept = 0;
    let other = 0;
    for (const { partition, address } of sample) {
      const definition = byType.get(address.type);
      if (definition === undefined) continue;
      const verdict = await examine(look, definition, partition, address);
      if (verdict === 'folded') folded++;
      else if (verdict === 'kept') kept++;
      else if (verdict === 'other') other++;
      else wrong.push({ actor: formatAddress(address), why: verdict.wrong });
    }
    const [first] = wrong;
    if (first === undefined && folded + kept + other === 0 && sample.length > 0)
      return unknown('consistency', 'the config file defines none of the stored types.', 'troupe workers');
    const text = `${folded} states restored and folded again, ${kept} only restored (their entries are gone)`;
    if (first === undefined && other > 0 && folded === 0)
      return unknown(
        'consistency',
        `${text}, ${other} not folded, for other code than is here wrote them: look from where the code of the workers is.`,
        'troupe workers',
      );
    if (first === undefined) return ok('consistency', `${text}${other > 0 ? `, ${other} of other code` : ''}`);
    return problem(
      'consistency',
      `${wrong.length} of ${wrong.length + folded + kept + other} states do not agree: ${someOf(wrong.map(({ actor, why }) => `${actor} ${why}`))}. The disk, or the machine's purity: fold it and compare.`,
      `troupe history ${first.actor} --states`,
    );
  },
};

async function examine(
  { open }: Look,
  definition: ActorDefinition,
  partition: number,
  address: ActorAddress,
): Promise<Verdict> {
  const snapshots = await open.ports.snapshots.history(partition, address);
  for (const snapshot of snapshots) {
    const wrong = restore(definition, address, snapshot);
    if (wrong !== undefined) return { wrong };
  }
  const [newest] = snapshots;
  if (newest === undefined) return 'kept';
  const { version, hash } = storedVersion(decodeState(newest.bytes));
  if (version !== definition.version || hash !== definition.hash) return 'other';
  return refold(open.ports, definition, address, newest, snapshots.slice(1));
}

/** @returns what is wrong with it. */
function restore(definition: ActorDefinition, address: ActorAddress, snapshot: StoredSnapshot): string | undefined {
  const { seq, bytes } = snapshot;
  if (String(hash53(bytes)) !== snapshot.hash) return `has a damaged snapshot of entry ${seq}`;
  try {
    const stored = decodeState(bytes);
    const found = storedVersion(stored);
    if (found.seq !== seq) return `has a snapshot of entry ${found.seq} stored as one of ${seq}`;
    const code = definitionFor(definition, found.version);
    if (code !== undefined) decodeStoredState(code, address, stored);
    return undefined;
  } catch (error) {
    return `has a snapshot of entry ${seq} that can't be restored (${error instanceof Error ? error.message : String(error)})`;
  }
}

async function refold(
  ports: Look['open']['ports'],
  definition: ActorDefinition,
  address: ActorAddress,
  newest: StoredSnapshot,
  older: readonly StoredSnapshot[],
): Promise<Verdict> {
  const { journal, records } = ports;
  const snapshots: HistoryPorts['snapshots'] = { load: async () => older[0], history: async () => [...older] };
  const history = openHistory({ ports: { journal, records, snapshots }, actors: [definition] });
  const fromSeq = older[0]?.seq ?? 0;
  try {
    const state = await history.of(address).actorState(newest.seq);
    if (state === undefined || state.seq !== newest.seq || state.count !== newest.count)
      return (await isPurged(ports, address, fromSeq))
        ? 'kept'
        : { wrong: `has ${newest.count} entries up to ${newest.seq}, and ${state?.count ?? 0} are in the journal` };
    const again = String(hash53(encodeState(storeState(definition, state))));
    return again === newest.hash
      ? 'folded'
      : { wrong: `folds to another state at entry ${newest.seq} than was stored` };
  } catch (error) {
    if (isTroupeError(error, 'JournalGap') && (await isPurged(ports, address, fromSeq))) return 'kept';
    return { wrong: `can't be folded (${error instanceof Error ? error.message : String(error)})` };
  }
}

/** Whether entries behind `fromSeq` may have been removed: the partition's first one left is behind it. */
async function isPurged({ journal }: Look['open']['ports'], address: ActorAddress, fromSeq: number): Promise<boolean> {
  return (await journal.firstSeqSince(journal.partitionOf(address), 0)) > fromSeq + 1;
}
