/** Asks and messages between actors, while worker and server are killed at any moment. `TROUPE_PROOF=full` is the long form. */
import { chooseSeed, createRandom, planKills, type Said, World } from '@troupe/acceptance/internal';
import { expect, test } from 'vitest';

const ACTORS = 20;
const TARGETS = 5;
const TASKS = process.env.TROUPE_PROOF === 'full' ? 100 : 15;
const KILLS = process.env.TROUPE_PROOF === 'full' ? 30 : 4;
const DEADLINE_MS = 120_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** What a target heard from each sender, in the order it heard it. */
async function heardBySender(world: World, type: string, key: string, count: number): Promise<Map<string, number[]>> {
  const state = await world.troupe
    .actor(type, key)
    .waitFor(({ context }) => (context as { heard: Said[] }).heard.length >= count, { timeoutMs: 40_000 });
  const { heard } = state.context as { heard: Said[] };
  const bySender = new Map<string, number[]>();
  for (const { from, n } of heard) bySender.set(from, [...(bySender.get(from) ?? []), n]);
  return bySender;
}

test('asks are answered and messages arrive exactly once and in order, while worker and server are killed', async () => {
  const seed = chooseSeed();
  const random = createRandom(seed);
  process.stdout.write(`${ACTORS} askers, ${ACTORS} tellers, ${TASKS} tasks each, ${KILLS} kills, seed ${seed}\n`);
  await using world = await World.start({ project: 'gossips' });
  let done = 0;
  const plan = planKills({
    kills: KILLS,
    total: ACTORS * TASKS * 2,
    random,
    kill: async () => {
      process.stdout.write(`killed after ${done} outcomes: ${await world.crashSomehow(random)}\n`);
    },
  });
  const askers = numbers(ACTORS).map(async (i) => {
    for (const n of numbers(TASKS)) {
      const answer = await world.troupe
        .actor('asker', `asker-${i}`)
        .ask({ expert: `target-${i % TARGETS}`, n }, { deadlineMs: DEADLINE_MS });
      expect(answer, `task ${n} of asker-${i}`).toBe(n + 1);
      plan.progress(++done);
    }
  });
  const tellers = numbers(ACTORS).map(async (i) => {
    for (const n of numbers(TASKS)) {
      const told = await world.troupe
        .actor('teller', `teller-${i}`)
        .ask(`target-${i % TARGETS}`, { deadlineMs: DEADLINE_MS });
      expect(told, `task ${n} of teller-${i}`).toBe(3 * (n + 1));
      plan.progress(++done);
    }
  });
  await Promise.all([...askers, ...tellers, plan.over]);

  for (const target of numbers(TARGETS)) {
    const senders = ACTORS / TARGETS;
    const asked = await heardBySender(world, 'expert', `target-${target}`, senders * TASKS);
    expect(asked.size).toBe(senders);
    for (const [from, heard] of asked) expect(heard, `asks of ${from}`).toEqual(numbers(TASKS));
    const told = await heardBySender(world, 'listener', `target-${target}`, senders * TASKS * 3);
    expect(told.size).toBe(senders);
    for (const [from, heard] of told) expect(heard, `messages of ${from}`).toEqual(numbers(TASKS * 3));
  }
}, 600_000);
