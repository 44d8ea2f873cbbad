import { expect, test } from 'vitest';
import { runInherited } from '../checks/steps.ts';

const cwd = import.meta.dirname;

test('the exit code of a command is passed on; a signal and a failed start count as 1', async () => {
  expect(await runInherited('sh', ['-c', 'exit 3'], cwd)).toBe(3);
  expect(await runInherited('sh', ['-c', 'kill -KILL $$'], cwd)).toBe(1);
  expect(await runInherited('/no/such/command', [], cwd)).toBe(1);
});

test('a command that has done its work but does not exit is ended', async () => {
  expect(await runInherited('sleep', ['1000'], cwd, { isDone: () => true, graceMs: 10 })).toBe(0);
});

test('a command that exits in time keeps its own exit code', async () => {
  expect(await runInherited('sh', ['-c', 'exit 3'], cwd, { isDone: () => true, graceMs: 60_000 })).toBe(3);
});
