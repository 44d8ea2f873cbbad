import type { JournalState } from '@troupe/agent';
import type { StateView } from '@troupe/client';
import { formatAddress, isTroupeError, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStates } from '../operator/journal.ts';
import { type ShownState, showState } from '../output/show-state.ts';

export const stateShow: Command = {
  name: 'state show',
  summary: "Show an actor's state, as it is or as it was.",
  description:
    'The owner answers, and no turn waits for it. With --offline or --at the journal itself is read and folded here, by the definitions of troupe.config.ts; no worker need run.',
  args: [{ name: 'ADDRESS', meaning: 'Which actor: <type>/<key>.' }],
  options: {
    at: { meaning: 'As of this journal sequence.', placeholder: 'SEQ' },
    offline: { meaning: 'Fold the journal here, asking no worker.' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe state show support/john', meaning: 'Value, context, open turn, timers.' },
    { line: 'troupe state show order/42 --at 1017', meaning: 'Time travel: as it was after entry 1017.' },
    { line: 'troupe state show order/42 --json | jq .context', meaning: 'For programs.' },
  ],
  async run(context) {
    const atSeq = context.whole('at');
    const state =
      atSeq !== undefined || context.has('offline') ? await readOffline(context, atSeq) : await askOwner(context);
    context.out.answer(state, showState(state, context.out.style, Date.now()));
    return undefined;
  },
};

/** Folded here, from the journal. @throws TroupeError `NotFound` before the first entry. */
export async function readOffline(context: CommandContext, atSeq: number | undefined): Promise<ShownState> {
  const address = context.address();
  const journal = await openStates(context, 'folding a journal');
  const state = await journal.state(address, atSeq === undefined ? {} : { atSeq });
  if (state !== undefined) return ofJournal(state);
  const when = atSeq === undefined ? '' : ` up to entry ${atSeq}`;
  throw new TroupeError('NotFound', `${formatAddress(address)} has no entries${when}.`, {
    actor: formatAddress(address),
  });
}

async function askOwner(context: CommandContext): Promise<ShownState> {
  const { type, key } = context.address();
  const troupe = await context.client();
  try {
    return ofOwner(await troupe.actor(type, key).snapshot({ signal: context.io.signal }));
  } catch (error) {
    if (isTroupeError(error, 'NoOwner') || isTroupeError(error, 'Timeout'))
      context.out.note('With --offline the journal is read here, without a worker.');
    throw error;
  }
}

/** What the two ways of reading have in common. */
export function ofJournal(state: JournalState): ShownState {
  const { address, store: _store, ...shown } = state;
  return { actor: formatAddress(address), ...shown };
}

function ofOwner(view: StateView): ShownState {
  const { type, key, now, stash, timers, effects, turn } = view;
  return {
    actor: `${type}/${key}`,
    status: view.status,
    value: view.value,
    context: view.context,
    ...(view.output === undefined ? {} : { output: view.output }),
    version: view.version,
    seq: view.seq,
    at: now,
    tags: view.tags,
    turn: turn as ShownState['turn'],
    waiting: stash.depth,
    timers: timers.map(({ id, event, dueAt }) => ({ id, what: String(event), dueAt })),
    effects: (effects as readonly { id: string; src: string }[]).map(({ id, src }) => ({ id, what: src })),
  };
}
