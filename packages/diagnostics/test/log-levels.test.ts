import { createLogger, LEVEL_FOR_MS, LogLevels } from '@troupe/diagnostics';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('log levels', () => {
  test('take the most particular one', () => {
    const levels = new LogLevels('info', { order: 'warn' });
    expect([levels.of(), levels.of('support'), levels.of('order')]).toEqual(['info', 'info', 'warn']);
    levels.set({ level: 'error' });
    expect([levels.of(), levels.of('support'), levels.of('order')]).toEqual(['error', 'error', 'warn']);
    levels.set({ type: 'order', level: 'debug' });
    expect([levels.allows('debug', 'order'), levels.allows('debug', 'support'), levels.of('order')]).toEqual([
      true,
      false,
      'debug',
    ]);
  });

  test('fall back by themselves, after ten minutes unless something else was said', () => {
    const levels = new LogLevels('info');
    let told = 0;
    levels.onChange(() => told++);
    levels.set({ type: 'a', level: 'debug' });
    levels.set({ type: 'b', level: 'debug', forMs: 1_000 });
    vi.advanceTimersByTime(1_000);
    expect([levels.of('a'), levels.of('b'), told]).toEqual(['debug', 'info', 3]);
    vi.advanceTimersByTime(LEVEL_FOR_MS - 1_000);
    expect([levels.of('a'), told]).toEqual(['info', 4]);
  });

  test('set again hold from then on, and fall back at once when they are told to', () => {
    const levels = new LogLevels('info');
    levels.set({ level: 'debug', forMs: 1_000 });
    vi.advanceTimersByTime(900);
    levels.set({ level: 'debug', forMs: 1_000 });
    vi.advanceTimersByTime(900);
    expect(levels.list()).toEqual([{ level: 'debug', untilMs: Date.now() + 100 }]);
    levels.reset();
    expect(levels.list()).toEqual([{ level: 'info' }]);
  });
});

describe('a logger with levels of types', () => {
  test('goes by the type of the actor that a line or its parent names, and changes while it is used', () => {
    const lines: string[] = [];
    const stream = { write: (text: string) => void lines.push(JSON.parse(text).msg) };
    const log = createLogger({ env: {}, level: 'info', types: 'order=error, support=debug', stream });
    const child = log.child({ actor: 'support/john' });
    const other = log.child({ component: 'x' });
    log.warn({ actor: 'order/1' }, 'quiet type');
    child.debug({}, 'chatty child');
    other.debug({}, 'nobody in particular');
    log.levels.set({ level: 'debug' });
    other.debug({}, 'turned up');
    log.levels.set({ level: 'silent' });
    other.error({}, 'silent');
    log.error({ actor: 'order/1' }, 'own level');
    expect(lines).toEqual(['chatty child', 'turned up', 'own level']);
  });

  test('says which level it does not know', () => {
    const lines: unknown[] = [];
    const stream = { write: (text: string) => void lines.push(JSON.parse(text)) };
    createLogger({ env: {}, types: 'order=loud', stream });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'loud', type: 'order', msg: expect.stringMatching(/unknown/) }),
    ]);
  });
});
