/** A worker process that says how much memory it takes. Run with --expose-gc, talks over IPC. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineAgent, reply } from '@troupe/agent';
import { connectNats, createNatsPorts, resolveConfig } from '@troupe/nats';
import { startWorker } from '@troupe/runtime';
import { assign, setup } from 'xstate';

/** What it answers to `measure`. */
export interface Measured {
  readonly rss: number;
  /** What JavaScript holds, on its heap and beside it. */
  readonly held: number;
  readonly resident: number;
}

const counter = defineAgent({
  type: 'counter',
  version: 1,
  machine: setup({
    types: { context: {} as { count: number; last: string[] }, events: {} as { type: 'task'; input: string } },
  }).createMachine({
    context: { count: 0, last: [] },
    on: {
      task: {
        actions: [
          assign({
            count: ({ context }) => context.count + 1,
            last: ({ context, event }) => [...context.last.slice(-19), event.input],
          }),
          reply(({ context }) => context.count),
        ],
      },
    },
  }),
});

const connection = await connectNats({ servers: process.env.TROUPE_NATS_URL ?? '' });
const worker = await startWorker({
  ports: createNatsPorts(connection, resolveConfig({ partitions: 16 })),
  definitions: [counter],
  options: { idleUnloadMs: 500 },
});
await worker.ready;

async function measure(): Promise<Measured> {
  let least = Number.POSITIVE_INFINITY;
  let held = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6; i++) {
    // Gives back pages too, which an ordinary collection keeps for the next burst.
    (globalThis.gc as undefined | ((options: object) => void))?.({ type: 'major', flavor: 'last-resort' });
    await sleep(250);
    const { rss, heapUsed, external } = process.memoryUsage();
    least = Math.min(least, rss);
    held = Math.min(held, heapUsed + external);
  }
  return { rss: least, held, resident: worker.stats().resident };
}

process.on('message', (message) => {
  if (message === 'resident') process.send?.({ resident: worker.stats().resident });
  else if (message === 'measure') void measure().then((measured) => process.send?.(measured));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
