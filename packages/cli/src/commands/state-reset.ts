import { type ActorAddress, formatAddress, isTroupeError, TroupeError, toFailureRecord } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type AppliedEntry, applyEntry, describeApplied, operatorName } from '../operator/apply-entry.ts';
import { usageError } from '../usage-error.ts';

/** Actors in one call. */
const ACTORS_MAX = 1_000;

export const stateReset: Command = {
  name: 'state reset',
  summary: 'Take an actor, or a set of them, back to the beginning.',
  description:
    'A journal entry like any other: what was there before stays in the history, an open turn ends with Cancelled, running effects are cancelled, task ids stay remembered. An actor that never was is not made by it. With * in the key it is every actor of the type whose key fits (a worker has to run, to list them); without --yes those are shown only.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>; * in the key stands for any text.' }],
  options: { yes: { meaning: 'Reset the set that a pattern selects; at most 1000.' } },
  reach: 'operator',
  examples: [
    { line: 'troupe state reset support/john', meaning: 'The next task finds a new machine.' },
    { line: "troupe state reset 'support/test-*'", meaning: 'Shows which those would be.' },
    { line: "troupe state reset 'support/test-*' --yes", meaning: 'Resets all of them.' },
  ],
  async run(context) {
    const address = context.address();
    if (address.key.includes('*')) return resetSet(context, address);
    const { ports } = await context.operator();
    if (!(await everWas(ports, address)))
      throw new TroupeError(
        'NotFound',
        `There is no actor ${formatAddress(address)}: nothing was ever sent to it, or its entries are gone. troupe ls ${address.type} shows those there are.`,
        { actor: formatAddress(address) },
      );
    const applied = await reset(context, address);
    context.out.answer(applied, describeApplied('reset', applied));
    return undefined;
  },
};

async function resetSet(context: CommandContext, pattern: ActorAddress): Promise<number | undefined> {
  const { out } = context;
  const found = await matching(context, pattern);
  if (found.length === 0)
    throw new TroupeError(
      'NotFound',
      `No actor fits ${formatAddress(pattern)}. troupe ls ${pattern.type} shows those there are.`,
    );
  if (!context.has('yes')) {
    const actors = found.map(formatAddress);
    if (out.json) out.answer({ dryRun: true, actors });
    else out.answer(actors, actors.join('\n'));
    out.note(`Nothing was changed. Add --yes to reset these ${found.length}.`);
    return undefined;
  }
  let failed = 0;
  for (const address of found) {
    context.io.signal.throwIfAborted();
    try {
      const applied = await reset(context, address);
      out.answer(applied, describeApplied('reset', applied));
    } catch (error) {
      if (!isTroupeError(error)) throw error;
      failed++;
      const { stack: _none, ...record } = toFailureRecord(error);
      out.answer(
        { actor: formatAddress(address), error: record },
        `${formatAddress(address)} was not reset: ${error.message}`,
      );
    }
  }
  return failed > 0 ? 1 : undefined;
}

async function reset(context: CommandContext, address: ActorAddress): Promise<AppliedEntry> {
  return applyEntry(context, await context.operator(), address, { kind: 'reset', by: operatorName() });
}

/** @throws TroupeError `Usage` for more than can be reset at once. */
async function matching(context: CommandContext, { type, key }: ActorAddress): Promise<ActorAddress[]> {
  const fits = keyPattern(key);
  const troupe = await context.client();
  const found: ActorAddress[] = [];
  for await (const actor of await troupe.actors({ type, signal: context.io.signal })) {
    if (!fits.test(actor.key)) continue;
    if (found.length >= ACTORS_MAX)
      throw usageError(`More than ${ACTORS_MAX} actors fit ${type}/${key}: make it narrower.`);
    found.push({ type: actor.type, key: actor.key });
  }
  return found;
}

/** Only `*` means something. */
function keyPattern(key: string): RegExp {
  const parts = key.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

type Ports = Awaited<ReturnType<CommandContext['operator']>>['ports'];

/** Whether it has a stored state or an entry; as others see it, from the leader. */
async function everWas({ journal, snapshots }: Ports, address: ActorAddress): Promise<boolean> {
  if ((await snapshots.load(journal.partitionOf(address), address)) !== undefined) return true;
  for await (const _entry of journal.readActor(address, { last: 1 })) return true;
  return false;
}
