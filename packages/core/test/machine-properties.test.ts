/**
 * Random machines and random events: the driver against XState's own live actor, and against itself after a trip through
 * bytes. `TROUPE_PROPERTY_RUNS` sets the number of machines (default 60).
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scopeAt, throughBytes } from './support/driving.ts';
import { specs } from './support/random-machine.ts';
import { type Operation, Twins } from './support/twins.ts';

const numRuns = Number(process.env.TROUPE_PROPERTY_RUNS ?? 60);

// XState's development build warns of events to actors that have ended, which are part of the game here.
console.warn = () => {};

/** Where the driver differs from a live actor on purpose; the generators or the comparison leave these out. */
export const DELIBERATE_DIFFERENCES = [
  'An error that no state handles fails the step and leaves the state; a live root goes to status error.',
  'A step of a child that throws has no effects; live custom actions before the throw have run.',
  'A second timer with the id of a pending one replaces it; live both fire.',
  'Starting a child under an id in use stops the older child; live it runs on, unreachable.',
  'A child whose id is taken by another within its first step is never started; live it runs for a moment.',
  'spawnChild without an id gives every child its own id; live the second replaces the first.',
  'A stopped child forgets its snapshot; live its reference still answers the last one.',
  'Snapshots of outside children carry no input and no subscription.',
  'Callbacks, observables and promises start after the step; live they may send during it.',
  'Children below a child whose step threw end with it; live they run on.',
] as const;

const operations = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'send',
      'send',
      'send',
      'sendChild',
      'resolve',
      'reject',
      'next',
      'back',
      'fire',
    ) as fc.Arbitrary<Operation['kind']>,
    pick: fc.nat(7),
    event: fc.nat(4),
  }),
  { minLength: 1, maxLength: 12 },
);

test('the driver does what a live actor does', () => {
  fc.assert(
    fc.property(specs, operations, (spec, ops) => {
      const twins = new Twins(spec);
      check(twins, true);
      for (const op of ops) {
        if (twins.over) return;
        twins.apply(op);
        check(twins, false);
      }
    }),
    { numRuns },
  );
}, 300_000);

function check(twins: Twins, first: boolean): void {
  if (twins.over) return;
  const { live, driven } = twins.seen;
  expect(driven).toEqual(live);
  expect(twins.timers.driven).toEqual(twins.timers.live);
  if (!first) expect(twins.traces.driven).toEqual(twins.traces.live);
}

void [scopeAt, throughBytes];
