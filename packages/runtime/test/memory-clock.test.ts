import { VirtualClock } from '@troupe/runtime/internal';
import { describe, expect, test } from 'vitest';

describe('the virtual clock', () => {
  test('stands still until it is told to move', async () => {
    const clock = new VirtualClock({ startAt: 1_000 });
    const fired: number[] = [];
    clock.setTimer(() => fired.push(clock.now()), 10);
    await clock.runUntilIdle();
    expect([clock.now(), clock.monotonic(), fired.length]).toEqual([1_000, 0, 0]);
    await clock.advance(9);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toEqual([1_010]);
    expect(clock.monotonic()).toBe(10);
  });

  test('fires timers by due time, then by the order of setting', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const fired: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a1', 10],
      ['a2', 10],
      ['b', 20],
      ['now', 0],
      ['before', -5],
    ] as const) {
      clock.setTimer(() => fired.push(`${name}@${clock.now()}`), ms);
    }
    await clock.advance(100);
    expect(fired).toEqual(['now@0', 'before@0', 'a1@10', 'a2@10', 'b@20', 'c@30']);
  });

  test('orders ten thousand timers as a sort would', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const fired: number[] = [];
    let seed = 7;
    const due = Array.from({ length: 10_000 }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % 1_000;
    });
    for (const ms of due) clock.setTimer(() => fired.push(ms), ms);
    await clock.advance(1_000);
    expect(fired).toEqual([...due].sort((a, b) => a - b));
  });

  test('runs every promise reaction of a callback before the next callback', async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const chain = async (name: string): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        log.push(`${name}${i}`);
        await Promise.resolve();
      }
    };
    clock.defer(() => void chain('a'));
    clock.defer(() => void chain('b'));
    clock.setTimer(() => void chain('c'), 1);
    clock.setTimer(() => void chain('d'), 1);
    await clock.advance(1);
    expect(log.join(' ')).toBe('a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 c0 c1 c2 c3 c4 d0 d1 d2 d3 d4');
  });

  test('runs what is deferred before time moves, also what is deferred by what is deferred', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const log: string[] = [];
    clock.setTimer(() => log.push(`timer@${clock.now()}`), 1);
    clock.defer(() => {
      log.push('first');
      clock.defer(() => log.push(`second@${clock.now()}`));
    });
    await clock.advance(5);
    expect(log).toEqual(['first', 'second@0', 'timer@1']);
  });

  test('a cancelled timer does not fire, also when cancelled by one that is due with it', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => {
      fired.push('a');
      second.cancel();
    }, 1);
    const second = clock.setTimer(() => fired.push('b'), 1);
    const third = clock.setTimer(() => fired.push('c'), 2);
    third.cancel();
    third.cancel();
    await clock.advance(10);
    expect(fired).toEqual(['a']);
    expect(clock.nextTimerInMs()).toBeUndefined();
  });

  test('an error in a callback comes out of the call, and the clock goes on afterwards', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => {
      throw new Error('boom');
    }, 1);
    clock.setTimer(() => fired.push('later'), 2);
    clock.defer(() => {
      throw new Error('deferred boom');
    });
    clock.defer(() => fired.push('beside'));
    await expect(clock.advance(5)).rejects.toThrow('deferred boom');
    expect(fired).toEqual([]);
    await expect(clock.advance(5)).rejects.toThrow('boom');
    expect(fired).toEqual(['beside']);
    await clock.advance(5);
    expect(fired).toEqual(['beside', 'later']);
  });

  test('a loop without end is an error, not a hang', async () => {
    const clock = new VirtualClock({ callbacksMax: 1_000 });
    const again = (): void => clock.defer(again);
    again();
    await expect(clock.runUntilIdle()).rejects.toThrow('1000 callbacks');
  });

  test('two calls at once are refused', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toThrow('already running');
    await first;
  });

  test('advanceUntil stops at the first instant at which the condition holds', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    let count = 0;
    const tick = (): void => {
      count++;
      clock.setTimer(tick, 10);
    };
    tick();
    expect(await clock.advanceUntil(() => count === 4, 1_000)).toBe(true);
    expect(clock.now()).toBe(30);
    expect(await clock.advanceUntil(() => false, 100)).toBe(false);
    expect(clock.now()).toBe(130);
  });
});
