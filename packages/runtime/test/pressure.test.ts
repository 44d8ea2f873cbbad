import { beforeEach, expect, test } from 'vitest';
import { type JournalPort, SILENT } from '../src/index.ts';
import { VirtualClock } from '../src/internal.ts';
import { JournalPressure } from '../src/pressure.ts';

let clock: VirtualClock;
let share: number | undefined;
let pressure: JournalPressure;

beforeEach(async () => {
  clock = new VirtualClock();
  share = 0.1;
  const info = async () => {
    if (share === undefined) throw new Error('away');
    return { firstSeq: 1, lastSeq: 1, messages: 1, bytes: share * 1_000, bytesMax: 1_000, at: clock.now() };
  };
  pressure = new JournalPressure({ info } as JournalPort, clock, SILENT, { purgeEveryMs: 1_000, leaseTtlMs: 15_000 });
  void pressure.start();
  await clock.advance(0);
});

test('a journal with room is under no pressure', async () => {
  await clock.advance(10_000);
  expect([pressure.near, pressure.forced]).toEqual([false, false]);
});

test('readers are careful from the first look on, purging begins with the second', async () => {
  share = 0.8;
  await clock.advance(1_000);
  expect([pressure.near, pressure.forced]).toEqual([true, false]);
  await clock.advance(1_000);
  expect([pressure.near, pressure.forced]).toEqual([true, true]);
  share = 0.79;
  await clock.advance(1_000);
  expect([pressure.near, pressure.forced]).toEqual([false, false]);
});

test('who can not tell is careful, and forces nothing', async () => {
  share = 0.9;
  await clock.advance(5_000);
  share = undefined;
  await clock.advance(5_000);
  expect([pressure.near, pressure.forced]).toEqual([true, false]);
});

test('the age below which nothing is purged covers the lease several times', () => {
  expect(pressure.purgeAgeMs).toBeGreaterThanOrEqual(4 * 15_000);
  expect(pressure.serverNow).toBe(clock.now());
});
