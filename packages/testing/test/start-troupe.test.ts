import { isTroupeError } from '@troupe/agent';
import { startTroupe } from '@troupe/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { charges, counter, order } from './agents.ts';

describe('a troupe in memory', () => {
  test('cancels the order after a day', async () => {
    await using troupe = await startTroupe({ actors: [order] });
    const o = troupe.actor(order, '42');
    await o.ask({ type: 'placed' });
    await troupe.clock.advance('23h');
    expect((await o.snapshot()).value).toBe('waiting');
    await troupe.clock.advance('1h');
    expect((await o.snapshot()).value).toBe('cancelled');
  });

  test('keeps what a crash interrupts', async () => {
    await using troupe = await startTroupe({ actors: [counter] });
    const c = troupe.actor(counter, 'a b/ü');
    expect(await c.ask(2)).toBe(2);
    troupe.kill();
    await c.send(3, { taskId: 'three' });
    await troupe.restart();
    expect(await c.ask(0)).toBe(5);
    expect(await c.ask(3, { taskId: 'three' })).toBe(5);
  });

  test('fires a timer that was due while nobody ran', async () => {
    await using troupe = await startTroupe({ actors: [order] });
    const o = troupe.actor(order, '42');
    await o.ask({ type: 'placed' });
    troupe.kill();
    await troupe.clock.advance('30h');
    await troupe.restart();
    expect((await o.snapshot()).value).toBe('cancelled');
  });

  test('runs effects, and shows what was emitted', async () => {
    await using troupe = await startTroupe({ actors: [order] });
    const o = troupe.actor(order, 'paid');
    const before = charges.length;
    await o.ask({ type: 'placed' });
    await o.ask({ type: 'paid', amount: 7 });
    expect(charges.slice(before)).toEqual(['7']);
    const state = await o.snapshot();
    expect(state.matches('settled')).toBe(true);
    expect(state.context.receipt).toBe('receipt-7');
    expect(state.context.placedAt).toBeInstanceOf(Date);
    expect((await o.published()).filter(({ kind }) => kind === 'event')).toEqual([
      { kind: 'event', event: { type: 'settled', receipt: 'receipt-7' } },
    ]);
  });

  test('hands the partitions of a frozen worker to another one, and takes no harm when it comes back', async () => {
    await using troupe = await startTroupe({
      actors: [counter],
      workers: 2,
      options: { leaseTtlMs: 15_000, renewEveryMs: 4_000 },
    });
    const actors = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => troupe.actor(counter, key));
    for (const one of actors) await one.ask(1);
    troupe.freeze();
    await troupe.clock.advance('60s');
    for (const one of actors) expect(await one.ask(1)).toBe(2);
    troupe.resume();
    await troupe.clock.advance('60s');
    for (const one of actors) expect(await one.ask(1)).toBe(3);
  });

  test('gives an error of the actor as what it is', async () => {
    await using troupe = await startTroupe({ actors: [order] });
    const failed = await troupe
      .actor(order, '42')
      .ask({ type: 'paid', amount: 1 }, { deadlineMs: 20 })
      .catch((error: unknown) => error);
    const unknown = await troupe
      .actor('order', '42')
      .ask({ type: 'nonsense' })
      .catch((error: unknown) => error);
    expect(isTroupeError(unknown, 'UnknownEvent')).toBe(true);
    expect(failed).toBeInstanceOf(Error);
  });

  test('says what a wait waits for when nothing can end it', async () => {
    await using troupe = await startTroupe({ actors: [order], patienceMs: 100 });
    await expect(troupe.actor(order, '42').ask({ type: 'paid', amount: 1 })).rejects.toThrow(
      'Time stands still while a test waits',
    );
  });

  test('shows journal, time travel and dead letters', async () => {
    await using troupe = await startTroupe({ actors: [counter] });
    const c = troupe.actor(counter, 'a');
    await c.ask(1);
    await c.ask(2);
    await troupe
      .actor('counter', 'a')
      .ask({ type: 'nonsense' })
      .catch(() => undefined);
    expect((await c.history()).map(({ body }) => body.kind)).toEqual(['task', 'task', 'task']);
    expect((await c.steps()).map(({ state }) => state.context)).toEqual([{ n: 1 }, { n: 3 }, { n: 3 }]);
    expect((await c.deadLetters()).map(({ code }) => code)).toEqual(['UnknownEvent']);
  });

  test('knows the types of the agent', async () => {
    await using troupe = await startTroupe({ actors: [order, counter] });
    const c = troupe.actor(counter, 'a');
    await c.ask(1);
    const state = await c.snapshot();
    expectTypeOf(state.context).toEqualTypeOf<{ n: number }>();
    const o = troupe.actor(order, '1');
    // @ts-expect-error the machine has no such event
    await o.signal({ type: 'nonsense' });
    expectTypeOf(o.signal)
      .parameter(0)
      .toEqualTypeOf<{ type: 'placed' } | { type: 'paid'; amount: number } | { type: 'approve' }>();
  });
});
