/**
 * The pages of the reference against the code, both ways. To write the generated parts anew:
 * `TROUPE_UPDATE_DOCS=1 npx vitest run packages/cli/test/reference.test.ts`, then the formatter.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { defineAgent } from '@troupe/agent';
import { COMMANDS } from '@troupe/cli';
import { commandReference, DEFAULT_LIMITS, MARKS, settingsReference } from '@troupe/cli/internal';
import { resolveWorkerOptions } from '@troupe/runtime';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';

const pathOf = (page: string) => new URL(`../../../docs/reference/${page}`, import.meta.url);
const read = (page: string) => readFileSync(pathOf(page), 'utf8');

/** Tables as they are made: the formatter aligns their columns. */
function compact(text: string): string {
  return text.replace(/^\|.*\|$/gm, (row) =>
    row
      .replace(/ *\| */g, ' | ')
      .replace(/ \| -+(?= )/g, ' | ---')
      .trim(),
  );
}

/** The generated part of a page; written first when asked to. */
function generated(page: string, wanted: string): string {
  const text = read(page);
  const from = text.indexOf(MARKS.begin) + MARKS.begin.length;
  const to = text.indexOf(MARKS.end);
  if (process.env.TROUPE_UPDATE_DOCS !== undefined)
    writeFileSync(pathOf(page), `${text.slice(0, from)}\n\n${wanted}\n\n${text.slice(to)}`);
  return read(page).slice(from, read(page).indexOf(MARKS.end)).trim();
}

/** Rows of the table under a heading: first cell without back-ticks, second cell. */
function rowsUnder(page: string, heading: string): Map<string, string> {
  const section =
    compact(read(page))
      .split(/^## /m)
      .find((part) => part.startsWith(heading)) ?? '';
  const rows = [...section.matchAll(/^\| (`[^|]*`) \| ([^|]*) \|/gm)].map(
    ([, name, value]) => [name!, value!.trim()] as const,
  );
  return new Map(
    rows.flatMap(([names, value]) => names.split(', ').map((name) => [name.replaceAll('`', ''), value] as const)),
  );
}

describe('docs/reference/cli.md', () => {
  test('says of every command what the registry says', () => {
    const wanted = commandReference(COMMANDS);
    expect(compact(generated('cli.md', wanted))).toBe(compact(wanted));
  });
});

function ofHeap(bytes: number): string {
  const isQuarter = Math.abs(bytes - getHeapStatistics().heap_size_limit / 4) < 1;
  return isQuarter ? "a quarter of the heap's limit" : `${bytes}`;
}

describe('docs/reference/configuration.md', () => {
  test('has every setting with its sources, default and meaning', () => {
    const wanted = settingsReference();
    expect(compact(generated('configuration.md', wanted))).toBe(compact(wanted));
  });

  test('has every limit of a worker with its default, and no other', () => {
    const rows = rowsUnder('configuration.md', 'Limits of a worker');
    const defaults = Object.entries(resolveWorkerOptions()).map(([name, value]) => [
      name,
      Array.isArray(value) ? 'none' : name === 'residentBytesMax' ? ofHeap(Number(value)) : `${value}`,
    ]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
  });

  test('has every limit of doctor with its default, and no other', () => {
    const rows = Object.entries(DEFAULT_LIMITS).map(([name, value]) => [`doctor.${name}`, `${value}`]);
    expect(Object.fromEntries(rowsUnder('configuration.md', 'Limits of troupe doctor'))).toEqual(
      Object.fromEntries(rows),
    );
  });

  test('has every policy of a definition, and no other', () => {
    const documented = new Set(
      [...rowsUnder('configuration.md', 'Policies of a definition').keys()].map((path) => path.split('.')[0]!),
    );
    const agent = defineAgent({ type: 'any', version: 1, machine: createMachine({}) });
    const made = ['type', 'version', 'machine', 'hash', 'driver'];
    expect([...documented].sort()).toEqual(
      Object.keys(agent)
        .filter((name) => !made.includes(name))
        .sort(),
    );
  });

  test('has the defaults of a definition', () => {
    const rows = rowsUnder('configuration.md', 'Policies of a definition');
    const agent = defineAgent({ type: 'any', version: 1, machine: createMachine({}) });
    const { task, mailbox, snapshot, history, stateBytesMax } = agent;
    expect(Object.fromEntries(rows)).toMatchObject({
      'task.deadlineMs': `${task.deadlineMs}`,
      'task.deadlineMsMax': `${task.deadlineMsMax}`,
      'task.policy': `\`${task.policy}\``,
      signalPolicy: `\`${agent.signalPolicy}\``,
      'mailbox.depthMax': `${mailbox.depthMax}`,
      'mailbox.bytesMax': `${mailbox.bytesMax}`,
      'snapshot.everyEntries': `${snapshot.everyEntries}`,
      'history.keepForMs': `${history.keepForMs}`,
      onDone: `\`${agent.onDone}\``,
      stateBytesMax: `${stateBytesMax}`,
      out: `\`${agent.out}\``,
    });
  });

  test('has every field of the config file', () => {
    const documented = [...rowsUnder('configuration.md', 'Fields of the config file').keys()].map(
      (path) => path.split('.')[0]!,
    );
    expect([...new Set(documented)].sort()).toEqual([
      'actors',
      'dev',
      'doctor',
      'logLevel',
      'logLevels',
      'nats',
      'partitions',
      'prefix',
      'process',
      'renamed',
      'retired',
      'streams',
      'traces',
      'worker',
    ]);
  });
});
