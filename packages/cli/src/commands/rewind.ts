import { type ActorAddress, formatAddress, parseAddress, TroupeError } from '@troupe/wire';
import type { Command } from '../command.ts';
import { makeFork, openStates, type PlannedFork, planFork, RUN_EFFECTS } from '../operator/history.ts';
import { usageError } from '../usage-error.ts';
import { describeFork } from './fork.ts';

/** Actors in one call. */
const ACTORS_MAX = 1_000;

export const rewind: Command = {
  name: 'rewind',
  summary: 'Begin a set of actors anew, all as of one entry, under a prefix of their keys.',
  description:
    'Each actor is forked as of SEQ, as troupe fork does it; the originals stay as they are. All of them are looked at before any is written: if one of the new keys is taken, or a state is no longer kept, nothing is done. Actors that had no entry by then are left out, as they were not there. Actors that find each other by their keys find the originals, unless their keys are in the context and you change them. Sequences of one journal stream can be compared; where types have streams of their own, rewind each stream by itself.',
  args: [{ name: 'ADDRESS', meaning: 'Which actors: <type>/<key>, one or more.', rest: true }],
  options: {
    seq: { meaning: 'As of this journal sequence.', placeholder: 'SEQ' },
    'key-prefix': { meaning: 'Put before each key, for example try-.', placeholder: 'PREFIX' },
    ...RUN_EFFECTS,
  },
  reach: 'operator',
  examples: [
    {
      line: 'troupe rewind order/42 customer/7 --seq 1017 --key-prefix try-',
      meaning: 'order/try-42 and customer/try-7, both as they were after entry 1017.',
    },
  ],
  async run(context) {
    const seq = context.whole('seq');
    const prefix = context.text('key-prefix');
    if (seq === undefined || prefix === undefined || prefix === '')
      throw usageError(
        'rewind needs --seq and --key-prefix: the sequence to go back to, and what to put before the keys.',
      );
    if (context.args.length > ACTORS_MAX) throw usageError(`rewind takes at most ${ACTORS_MAX} actors at once.`);
    const actors = context.args.map((_word, i) => context.address(i));
    const history = await openStates(context, 'rewind');
    const planned: PlannedFork[] = [];
    const absent: string[] = [];
    for (const from of actors) {
      const plan = await planFork(context, history, from, prefixed(from, prefix), seq);
      if (plan === undefined) absent.push(formatAddress(from));
      else planned.push(plan);
    }
    if (planned.length === 0)
      throw new TroupeError('NotFound', `None of ${actors.map(formatAddress).join(', ')} had an entry by ${seq}.`);
    const forks = [];
    for (const plan of planned) forks.push(await makeFork(context, plan));
    const lines = [...forks.map(describeFork), ...absent.map((actor) => `${actor} was not there yet`)];
    context.out.answer({ seq, prefix, forks, absent }, lines.join('\n'));
    return undefined;
  },
};

/** @throws TroupeError `InvalidKey` when the key becomes too long. */
function prefixed({ type, key }: ActorAddress, prefix: string): ActorAddress {
  return parseAddress(`${type}/${prefix}${key}`);
}
