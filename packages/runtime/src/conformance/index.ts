/**
 * What every implementation of the ports must do, as runnable sentences. The suites go through both implementations: in
 * memory with virtual time, and against a real server that is killed and restarted on the way.
 *
 * @example
 * import { describe, test } from 'vitest';
 * portConformance('in memory', makeMemoryHarness, { describe, test });
 */
import { busSuite } from './bus-suite.ts';
import { connectionSuite } from './connection-suite.ts';
import { deadLetterSuite } from './dead-letter-suite.ts';
import type { Example, MakeHarness, Suite, TestFramework } from './harness.ts';
import { journalSuite } from './journal-suite.ts';
import { parkingSuite } from './parking-suite.ts';
import { recordSuite } from './record-suite.ts';
import { snapshotSuite } from './snapshot-suite.ts';
import { tickSuite } from './tick-suite.ts';

const SUITES: Readonly<Record<string, Suite>> = {
  journal: journalSuite,
  snapshots: snapshotSuite,
  records: recordSuite,
  ticks: tickSuite,
  'dead letters': deadLetterSuite,
  parking: parkingSuite,
  bus: busSuite,
  connection: connectionSuite,
};

/** Registers all suites for one implementation. */
export function portConformance(name: string, makeHarness: MakeHarness, framework: TestFramework): void {
  framework.describe(`ports ${name}`, () => {
    for (const [noun, suite] of Object.entries(SUITES)) {
      framework.describe(noun, () => suite(exampleFor(makeHarness, framework)));
    }
  });
}

function exampleFor(makeHarness: MakeHarness, framework: TestFramework): Example {
  return (sentence, body, options) => {
    framework.test(sentence, async () => {
      const world = await makeHarness(options);
      try {
        await body(world);
      } finally {
        await world.close();
      }
    });
  };
}
