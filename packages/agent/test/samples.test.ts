/** The samples of docs and README, as files that compile: what a user writes is what is tested. */
import { describe, expect, test } from 'vitest';
import { asker } from './samples/asking.ts';
import { supportV3 } from './samples/policies.ts';
import support from './samples/support.ts';
import config from './samples/troupe.config.ts';

describe('what a user writes', () => {
  test("a machine of one's own becomes an agent in a config file", () => {
    expect(config.actors.map((actor) => [actor.type, actor.version, actor.turn])).toEqual([['order', 1, 'settle']]);
  });

  test('an agent that replies ends its turns by replying', () => {
    expect(support.turn).toBe('reply');
    expect(support.input({ type: 'support', key: 'john' })).toEqual({ type: 'support', key: 'john' });
  });

  test('policies stand beside the machine', () => {
    expect(supportV3.effects.get('charge')).toMatchObject({ once: true, timeoutMs: 10_000 });
    expect(supportV3.previous.map((one) => one.version)).toEqual([2]);
    expect(supportV3.onDone).toBe('restart');
  });

  test('a contract gives the definition its type and schemas', () => {
    expect(asker.type).toBe('support');
    expect(Object.keys(asker.events)).toEqual(['approve']);
    expect(asker.task.input).toBeDefined();
  });
});
