/** The order in which entries go on while a partition goes entry by entry. */
import type { StoredMessage } from '@troupe/wire';
import { expect, test } from 'vitest';
import { CarefulSteps } from '../src/careful-steps.ts';
import type { PartitionHost } from '../src/partition-host.ts';
import type { Stepping } from '../src/quarantine.ts';

function message(seq: number): StoredMessage {
  return { seq, at: 0, type: 'note', keyToken: 'a' } as StoredMessage;
}

/** Takes what comes; entries from `steppedFrom` on are steps. */
function careful(steppedFrom: number): { steps: CarefulSteps; taken: number[]; drained: () => number } {
  const taken: number[] = [];
  let drained = 0;
  const steps = new CarefulSteps({} as PartitionHost, {
    dropped: false,
    mark: async () => undefined,
    steppingOf: ({ seq }) => (seq >= steppedFrom ? ({ seq, actor: 'note.a', hash: 'h' } as Stepping) : undefined),
    take: ({ seq }) => {
      taken.push(seq);
    },
    awake: async () => undefined,
    pause: () => undefined,
    drained: () => {
      drained++;
    },
    failed: (error) => {
      throw error;
    },
  });
  return { steps, taken, drained: () => drained };
}

test('entries that come in one go are all taken, also when the first of them is no step', async () => {
  const { steps, taken, drained } = careful(3);
  for (const seq of [1, 2, 3, 4]) steps.push(message(seq));
  await expect.poll(() => taken).toEqual([1, 2, 3, 4]);
  await expect.poll(() => steps.busy).toBe(false);
  expect(drained()).toBe(1);
});

test('nothing is taken after the stop, and what waits stays', async () => {
  const { steps, taken } = careful(1);
  for (const seq of [1, 2, 3]) steps.push(message(seq));
  await steps.stop();
  expect(taken.length).toBeLessThanOrEqual(1);
  expect(steps.busy).toBe(false);
});
