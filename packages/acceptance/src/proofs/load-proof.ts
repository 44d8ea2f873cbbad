/**
 * Many callers, many sessions, and a worker that is killed again and again: every task takes effect once, in order, and
 * every caller gets its outcome.
 */
import type { Troupe } from '@troupe/client';
import { ledger } from '../agents/ledger.ts';
import { createRandom } from '../random.ts';
import { World } from '../world.ts';
import { planKills } from './kill-plan.ts';

export interface LoadProofOptions {
  readonly sessions: number;
  readonly tasksPerSession: number;
  readonly callers: number;
  readonly kills: number;
  readonly seed: number;
  /** Journals that are folded again from their first entry, with no worker. */
  readonly refolds: number;
  readonly log?: (line: string) => void;
}

export interface LoadProofResult {
  readonly tasks: number;
  readonly kills: number;
  readonly seconds: number;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

/** Tasks of one session on their way at once; their order must be kept. */
const WINDOW = 5;
const DEADLINE_MS = 120_000;
const SHOWN_MAX = 20;

/** @example const { violations } = await proveLoad({ sessions: 1_000, tasksPerSession: 50, callers: 64, kills: 10, ... }); */
export async function proveLoad(options: LoadProofOptions): Promise<LoadProofResult> {
  const { sessions, tasksPerSession, callers, kills, seed, log = () => {} } = options;
  const total = sessions * tasksPerSession;
  log(`${sessions} sessions x ${tasksPerSession} tasks, ${callers} callers, ${kills} kills, seed ${seed}`);
  await using world = await World.start({ project: 'load', partitions: 64 });
  const violations: string[] = [];
  const startedMs = performance.now();
  let done = 0;
  const plan = planKills({
    kills,
    total,
    random: createRandom(seed),
    kill: async () => {
      log(`kill -9 after ${done} outcomes`);
      await world.crashWorker();
    },
  });
  const queue = Array.from({ length: sessions }, (_, session) => session);
  const caller = async (): Promise<void> => {
    for (let session = queue.pop(); session !== undefined; session = queue.pop()) {
      violations.push(...(await playSession(world.troupe, session, tasksPerSession, () => plan.progress(++done))));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  plan.progress(total);
  const killed = await plan.over;
  const seconds = (performance.now() - startedMs) / 1_000;
  log(`${done} outcomes in ${seconds.toFixed(1)} s`);
  violations.push(...(await checkStates(world, sessions, tasksPerSession)));
  violations.push(...(await checkJournals(world, Math.min(options.refolds, sessions), tasksPerSession)));
  if (done !== total) violations.push(`${total - done} of ${total} tasks got no outcome`);
  if (violations.length > 0) log(world.log);
  return { tasks: done, kills: killed, seconds, violations: violations.slice(0, SHOWN_MAX) };
}

async function playSession(troupe: Troupe, session: number, tasks: number, ended: () => void): Promise<string[]> {
  const actor = troupe.actor('ledger', keyOf(session));
  const violations: string[] = [];
  for (let first = 0; first < tasks; first += WINDOW) {
    const window = Array.from({ length: Math.min(WINDOW, tasks - first) }, async (_, at) => {
      const task = first + at;
      try {
        const count = await actor.ask(task, { deadlineMs: DEADLINE_MS });
        if (count !== task + 1) violations.push(`task ${task} of ${keyOf(session)} was number ${count} to take effect`);
        ended();
      } catch (error) {
        violations.push(`task ${task} of ${keyOf(session)} failed: ${String(error)}`);
      }
    });
    await Promise.all(window);
  }
  return violations;
}

async function checkStates({ troupe }: World, sessions: number, tasks: number): Promise<string[]> {
  const violations: string[] = [];
  for (let session = 0; session < sessions; session++) {
    const { context, turns } = await troupe.actor('ledger', keyOf(session)).snapshot({ timeoutMs: 20_000 });
    violations.push(...checkContext(keyOf(session), context, tasks));
    if (turns !== tasks) violations.push(`${keyOf(session)} has ended ${turns} turns, not ${tasks}`);
  }
  return violations;
}

function checkJournals(world: World, sessions: number, tasks: number): Promise<string[]> {
  return world.readJournal([ledger], async (journal) => {
    const violations: string[] = [];
    for (let session = 0; session < sessions; session++) {
      const steps = await journal.steps(`ledger/${keyOf(session)}`, { fromSeq: 0 });
      violations.push(...checkContext(`the journal of ${keyOf(session)}`, steps.at(-1)?.state.context, tasks));
    }
    return violations;
  });
}

function checkContext(who: string, context: unknown, tasks: number): string[] {
  const { count, seen } = (context ?? {}) as { count?: number; seen?: number[] };
  const inOrder = seen?.length === tasks && seen.every((task, at) => task === at);
  return count === tasks && inOrder ? [] : [`${who}: count ${count}, seen ${JSON.stringify(seen)}`];
}

function keyOf(session: number): string {
  return `session-${session}`;
}
