import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { durationOf } from '../durations.ts';
import { readPartitions } from '../operator/partition-views.ts';
import { readWorkers } from '../operator/workers.ts';
import { type Frame, frameOf, type Sample } from '../top/frame.ts';
import { Screen } from '../top/screen.ts';
import { showFrame } from '../top/show-frame.ts';
import { usageError } from '../usage-error.ts';

const INTERVAL_MS = 1_000;
const INTERVAL_MS_MIN = 100;
/** Ctrl-C comes as a key while keys are read one by one. */
const QUIT_KEYS = new Set(['q', 'Q', '\u0003', '\u001b']);

export const top: Command = {
  name: 'top',
  summary: 'Watch the cluster: turns per second, lag, the busiest types, workers with their memory and delay.',
  description:
    'Drawn anew each second, until q or Ctrl-C. Rates are of what happened between two looks; a worker that has only just come has none yet. LAG counts entries not yet taken, at most; WAITING those behind open turns; DELAY is how late timers were in the last ten seconds, median and 99th percentile. It asks every worker twice a look; nothing is changed.',
  args: [],
  options: {
    once: { meaning: 'One look, over one interval, and then the end.' },
    interval: { meaning: 'Time between two looks, at least 100ms.', placeholder: 'DURATION', default: '1s' },
  },
  reach: 'operator',
  examples: [
    { line: 'troupe top', meaning: 'q ends it.' },
    { line: 'troupe top --once', meaning: 'As text, for a log or a ticket.' },
    { line: "troupe top --json | jq '.turnsPerSecond'", meaning: 'One JSON object a look.' },
  ],
  async run(context) {
    const intervalMs = durationOf(context, 'interval') ?? INTERVAL_MS;
    if (intervalMs < INTERVAL_MS_MIN)
      throw usageError(`--interval is ${intervalMs} ms: it is at least ${INTERVAL_MS_MIN} ms.`);
    const { io, out } = context;
    const end = new AbortController();
    const signal = AbortSignal.any([io.signal, end.signal]);
    let before = await look(context);
    const draws = !out.json && io.stdout.isTTY === true && !context.has('once');
    using screen = draws ? new Screen(io) : undefined;
    const keys = draws
      ? io.readKeys?.((key) => {
          if (QUIT_KEYS.has(key)) end.abort();
        })
      : undefined;
    try {
      screen?.draw(showFrame(frameOf(before, before, Date.now()), out.style, screen.size));
      while (await pause(intervalMs, signal)) {
        const now = await look(context);
        if (signal.aborted) break;
        tell(context, frameOf(before, now, Date.now()), screen);
        before = now;
        if (context.has('once')) break;
      }
    } finally {
      keys?.close();
    }
    return undefined;
  },
};

function tell({ out }: CommandContext, frame: Frame, screen: Screen | undefined): void {
  if (screen === undefined) out.answer(frame, showFrame(frame, out.style).join('\n'));
  else screen.draw(showFrame(frame, out.style, screen.size));
}

async function look(context: CommandContext): Promise<Sample> {
  const open = await context.operator();
  const [workers, partitions] = await Promise.all([readWorkers(open), readPartitions(open)]);
  return { atMs: performance.now(), workers, partitions };
}

/** @returns false once it is to end. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
