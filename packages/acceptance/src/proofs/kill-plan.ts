/** Kills at random moments of a load: after random shares of its work, so that they fall into it however fast it goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';

const PAUSE_MS_MAX = 300;

export interface KillPlan {
  /** Tells how much of the work is done. */
  progress(done: number): void;
  /** Resolves when every kill has been made. */
  readonly over: Promise<number>;
}

/**
 * Calls `kill` `kills` times, each after a random share of `total` and a random pause.
 *
 * @example const plan = planKills({ kills: 10, total: 50_000, random, kill: () => world.crashWorker() });
 */
export function planKills(options: {
  readonly kills: number;
  readonly total: number;
  readonly random: Random;
  readonly kill: () => Promise<void>;
}): KillPlan {
  const { kills, total, random, kill } = options;
  const at = Array.from({ length: kills }, () => Math.floor(random() * total * 0.95)).sort((a, b) => a - b);
  const waiting: { readonly done: number; readonly resolve: () => void }[] = [];
  let seen = 0;
  const reached = (done: number): Promise<void> =>
    seen >= done ? Promise.resolve() : new Promise((resolve) => waiting.push({ done, resolve }));
  const over = (async () => {
    for (const done of at) {
      await reached(done);
      await sleep(random() * PAUSE_MS_MAX);
      await kill();
    }
    return kills;
  })();
  return {
    over,
    progress: (done) => {
      seen = done;
      for (let first = waiting[0]; first !== undefined && first.done <= done; first = waiting[0]) {
        waiting.shift();
        first.resolve();
      }
    },
  };
}
