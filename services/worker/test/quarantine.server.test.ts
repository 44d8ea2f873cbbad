/**
 * Entries that end the process of whoever steps them, with three real processes under a parent. `TROUPE_QUARANTINE=abort,memory` has a
 * second entry, which takes memory until none is left; that takes half a minute.
 */
import { connect, type Troupe } from '@troupe/client';
import { connectNats, createNatsPorts, resolveConfig } from '@troupe/nats';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endAll, fixture, Running } from './support/running.ts';

const POISONS = (process.env.TROUPE_QUARANTINE ?? 'abort').split(',');
/** Until an owner goes entry by entry, and then inside the step of each entry; all partitions may lose the same owner at first. */
const DEATHS = 2 + 3 * POISONS.length;
const ASK = { deadlineMs: 100_000 };

let server: NatsServerHandle;
let troupe: Troupe;
beforeAll(async () => {
  server = await startNatsServer();
  troupe = await connect({ url: server.url });
});
afterAll(async () => {
  await endAll();
  await troupe.close();
  await server.close();
});

async function deadLetters(): Promise<{ readonly code: string; readonly actor: string }[]> {
  const ports = createNatsPorts(await connectNats({ servers: server.url }), resolveConfig({ partitions: 8 }));
  try {
    const found = [];
    for await (const { code, address } of ports.deadLetters.list({}))
      found.push({ code, actor: `${address.type}/${address.key}` });
    return found;
  } finally {
    await ports.close();
  }
}

test('an entry whose step ends the process is set aside after five deaths; its actor and all others go on', async () => {
  const args = ['--nats-url', server.url, '--processes', '3', '--id', 'trio'];
  const running = new Running(args, fixture('deadly'), { NODE_OPTIONS: '--max-old-space-size=160' });
  await running.until('worker is ready');
  const poisoned = POISONS.map((what) => ({ what, actor: troupe.actor('counter', `poisoned-by-${what}`) }));
  const others = Array.from({ length: 24 }, (_, n) => troupe.actor('counter', `beside-${n}`));
  for (const { actor } of poisoned) expect(await actor.ask(1, ASK)).toBe(1);
  const ends = poisoned.map(async ({ what, actor }) => {
    const bad = actor.ask(what, ASK).catch((error: unknown) => error);
    const behind = [actor.ask(10, ASK), actor.ask(100, ASK)];
    expect(await bad).toMatchObject({ code: 'Quarantined', details: expect.objectContaining({ deaths: 3 }) });
    expect(await Promise.all(behind)).toEqual([11, 111]);
    expect(await actor.ask(1_000, ASK)).toBe(1_111);
  });
  const beside = others.map(async (other) => {
    const counts = [];
    for (let n = 0; n < 3; n++) counts.push(await other.ask(1, ASK));
    return counts;
  });
  expect(await Promise.all(beside)).toEqual(others.map(() => [1, 2, 3]));
  await Promise.all(ends);
  const letters = await deadLetters();
  for (const { what } of poisoned)
    expect(letters).toContainEqual({ code: 'Quarantined', actor: `counter/poisoned-by-${what}` });
  const deaths = running.lines.filter(({ component, signal }) => component === 'parent' && signal === 'SIGABRT');
  expect(deaths.length).toBeGreaterThanOrEqual(DEATHS);
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
}, 120_000);
