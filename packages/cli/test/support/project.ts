/** A project in a folder of its own, inside this package so that it finds `@troupe/agent` and `xstate`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../test-output/', import.meta.url));

export interface Project extends Disposable {
  readonly dir: string;
  write(file: string, text: string): void;
}

export function makeProject(files: Readonly<Record<string, string>>): Project {
  mkdirSync(ROOT, { recursive: true });
  const dir = mkdtempSync(join(ROOT, 'project-'));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { dir, write, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

export const CONFIG = `
import { defineAgent, defineConfig } from '@troupe/agent';
import { counter } from './agents/counter.ts';
import { order } from './agents/order.ts';
export default defineConfig({
  actors: [defineAgent({ type: 'counter', version: 1, machine: counter }), defineAgent({ type: 'order', version: 1, machine: order })],
  partitions: 4,
});
`;

/** Adds \`factor\` times what a task carries. */
export const counterOf = (factor: number): string => `
import { fail, reply, type TaskEvent } from '@troupe/agent';
import { assign, setup } from 'xstate';
export const counter = setup({
  types: { context: {} as { n: number }, events: {} as TaskEvent<number> },
  guards: { isText: ({ event }) => typeof event.input === 'string' },
}).createMachine({
  context: { n: 0 },
  on: {
    task: [
      { guard: 'isText', actions: fail({ code: 'NotANumber', message: 'That is no number.' }) },
      { actions: [assign({ n: ({ context, event }) => context.n + ${factor} * event.input }), reply(({ context }) => context.n)] },
    ],
  },
});
`;

export const ORDER = `
import { emit, setup } from 'xstate';
export const order = setup({
  types: { events: {} as { type: 'placed' } | { type: 'approve'; by: string } },
}).createMachine({
  initial: 'open',
  states: {
    open: { on: { placed: 'waiting' } },
    waiting: { after: { 3_600_000: 'cancelled' }, on: { approve: { target: 'approved', actions: emit(({ event }) => ({ type: 'approved', by: event.by })) } } },
    approved: {},
    cancelled: {},
  },
});
`;

export const FILES = { 'troupe.config.ts': CONFIG, 'agents/counter.ts': counterOf(1), 'agents/order.ts': ORDER };
