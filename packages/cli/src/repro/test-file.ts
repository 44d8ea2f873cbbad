/** The test that `troupe repro` writes. */
import { dirname, relative } from 'node:path';
import type { Capsule } from '@troupe/inspect';
import type { GivenExpectation } from './expectation.ts';

export interface TestFileOptions {
  readonly capsule: Capsule;
  readonly capsuleFile: string;
  readonly testFile: string;
  readonly configFile: string;
  readonly expectation: GivenExpectation | undefined;
}

/** A vitest file: it fails as long as the failure is there. */
export function testFileOf({ capsule, capsuleFile, testFile, configFile, expectation }: TestFileOptions): string {
  const { actor, failure, entries } = capsule;
  const here = dirname(testFile);
  const source = expectation?.source;
  const expecting =
    source === undefined ? '' : 'file' in source ? ', expect: expectation' : `, expect: ${source.expression}`;
  const title =
    failure === undefined
      ? `${actor} comes to the state that it came to`
      : failure.kind === 'expectation'
        ? `${actor} keeps what is expected of it up to entry ${failure.seq}`
        : `${actor} takes entry ${failure.seq} without ${failure.code}`;
  const seen = failure === undefined ? 'nothing failed' : `${failure.code}: ${failure.message}`;
  return [
    `// Written by troupe repro: ${entries.length} entries of ${oneLine(actor)}. What was seen: ${oneLine(seen)}`,
    "import { replayCapsule } from '@troupe/testing';",
    "import { test } from 'vitest';",
    `import config from ${quoted(importPath(here, configFile))};`,
    ...(source !== undefined && 'file' in source
      ? [`import expectation from ${quoted(importPath(here, source.file))};`]
      : []),
    '',
    `test(${quoted(title)}, async () => {`,
    `  const capsule = new URL(${quoted(`./${encodeURI(relative(here, capsuleFile))}`)}, import.meta.url);`,
    `  await replayCapsule(capsule, { actors: config.actors${expecting} });`,
    '});',
    '',
  ].join('\n');
}

function importPath(from: string, file: string): string {
  const path = relative(from, file).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\uffff]+/g, ' ').slice(0, 300);
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/[\r\n\u2028\u2029]/g, ' ')}'`;
}
