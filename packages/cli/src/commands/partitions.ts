import type { Command } from '../command.ts';
import { type PartitionView, readPartitions } from '../operator/partition-views.ts';
import { table } from '../output/format.ts';

export const partitions: Command = {
  name: 'partitions',
  summary: 'List the partitions: owner, epoch, mark, head, lag, held inputs, state.',
  description:
    'HEAD is the last entry of the partition, MARK where its next owner would begin to read. LAG counts entries that the owner has not taken yet; sequences are shared by all partitions, so it is an upper bound, and 0 is exact. HELD inputs wait until ownership is fresh. States: live; reading (on the way to the head); waiting (ownership is not fresh); releasing; moving (owned on paper only); silent (the owner does not answer); orphaned (the owner has no lease any more); unowned.',
  args: [],
  options: {
    owner: { meaning: 'Only those of this worker.', placeholder: 'WORKER' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe partitions', meaning: 'One line a partition.' },
    {
      line: 'troupe partitions --json | jq -r \'select(.state != "live") | .partition\'',
      meaning: 'Those that nobody serves at the moment.',
    },
  ],
  async run(context) {
    const open = await context.operator();
    const wanted = context.text('owner');
    const views = (await readPartitions(open)).filter(({ owner }) => wanted === undefined || owner === wanted);
    if (context.out.json) for (const view of views) context.out.answer(view);
    else if (views.length === 0) context.out.note(`No partition is owned by ${wanted}. See troupe workers.`);
    else context.out.answer(views, table(HEADS, views.map(cellsOf)));
    return undefined;
  },
};

const HEADS = ['PARTITION', 'STATE', 'OWNER', 'EPOCH', 'MARK', 'HEAD', 'LAG', 'HELD', 'ACTORS'];

function cellsOf({ partition, state, owner, epoch, mark, head, lag, held, resident }: PartitionView): string[] {
  const cells = [partition, state, owner, epoch, mark, head, lag, held, resident];
  return cells.map((cell) => (cell === undefined ? '-' : `${cell}`));
}
