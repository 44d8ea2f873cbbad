import { defineAgent, defineConfig, isTroupeError } from '@troupe/agent';
import { isTroupeConfig } from '@troupe/agent/internal';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';

const agent = defineAgent({ type: 'order', version: 1, machine: createMachine({ on: { task: {} } }) });

describe('defineConfig', () => {
  test('gives back what it was given, marked and frozen', () => {
    const config = defineConfig({ actors: [agent], prefix: 'shop' });
    expect(isTroupeConfig(config)).toBe(true);
    expect(config).toMatchObject({ prefix: 'shop', actors: [{ type: 'order' }] });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('hosts the actors of a renamed type under the old name as well', () => {
    const config = defineConfig({ actors: [agent], renamed: { purchase: 'order' }, retired: ['offer'] });
    expect(config.actors.map(({ type }) => type)).toEqual(['order', 'purchase']);
    expect(config.actors[1]).toMatchObject({ version: agent.version, hash: agent.hash });
  });

  test.each([
    ['a misspelt field', { actors: [], prefx: 'a' }, "no field 'prefx'. Did you mean 'prefix'?"],
    ['a misspelt field below', { actors: [], nats: { urls: 'a' } }, "no field 'nats.urls'. Did you mean 'nats.url'?"],
    ['actors that are no list', { actors: agent }, 'actors is an object; use a list'],
    [
      'a machine without a definition',
      { actors: [createMachine({})] },
      'actors[0] is an object; use what defineAgent made',
    ],
    ['one type twice', { actors: [agent, agent] }, 'actors[1].type is "order"'],
    ['no partitions', { actors: [], partitions: 0 }, 'partitions is 0; use a whole number from 1 to 1024'],
    [
      'an unknown log level',
      { actors: [], logLevel: 'loud' },
      'logLevel is "loud"; use debug, info, warn, error, silent',
    ],
    ['a share of doctor above the whole', { actors: [], doctor: { usageMaxPercent: 101 } }, 'from 0 to 100'],
    ['a limit of doctor as text', { actors: [], doctor: { clockMaxMs: '1s' } }, 'doctor.clockMaxMs is "1s"'],
    ['a rename to nowhere', { actors: [agent], renamed: { buy: 'odrer' } }, 'renamed.buy is "odrer"; use one of'],
    [
      'an old name that is a type',
      { actors: [agent], renamed: { order: 'order' } },
      'renamed is "order"; use only names',
    ],
    ['a retired type with a definition', { actors: [agent], retired: ['order'] }, 'retired[0] is "order"; use only'],
    [
      'a retired name that is an alias',
      { actors: [agent], renamed: { buy: 'order' }, retired: ['buy'] },
      'retired[0] is "buy"; use only',
    ],
    ['what is no type', { actors: [], retired: ['A b'] }, 'retired[0] is "A b"; use the name of a type'],
    ['nothing at all', undefined, 'actors is undefined'],
  ])('refuses %s', (_what, options, message) => {
    let error: unknown;
    try {
      defineConfig(options as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(isTroupeError(error, 'ConfigInvalid')).toBe(true);
    expect((error as Error).message).toContain(message);
  });
});
