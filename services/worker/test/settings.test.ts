import { defineConfig, isTroupeError } from '@troupe/agent';
import { resolveSettings, SETTINGS } from '@troupe/service-worker/internal';
import { describe, expect, test } from 'vitest';

const config = defineConfig({
  actors: [],
  prefix: 'file',
  nats: { url: ['nats://a:1', 'nats://b:2'], creds: 'a.creds' },
  worker: { drainDeadlineMs: 7 },
});

describe('settings', () => {
  test('come from the flag before the environment before the config file before the default', () => {
    const sources = { flags: { prefix: 'flag' }, env: { TROUPE_PREFIX: 'env' }, config, cwd: '/' };
    expect(resolveSettings(sources)).toMatchObject({ settings: { prefix: 'flag' }, origins: { prefix: 'flag' } });
    expect(resolveSettings({ ...sources, flags: {} })).toMatchObject({
      settings: { prefix: 'env' },
      origins: { prefix: 'environment' },
    });
    expect(resolveSettings({ config, cwd: '/' })).toMatchObject({
      settings: { prefix: 'file' },
      origins: { prefix: 'config file' },
    });
    expect(resolveSettings({ cwd: '/' })).toMatchObject({
      settings: { prefix: 'troupe' },
      origins: { prefix: 'default' },
    });
  });

  test('take an empty variable for an absent one', () => {
    expect(resolveSettings({ env: { TROUPE_PREFIX: '' }, cwd: '/' }).origins.prefix).toBe('default');
  });

  test('read numbers, lists and nested fields', () => {
    const { settings } = resolveSettings({ env: { TROUPE_PARTITIONS: '8' }, config, cwd: '/' });
    expect(settings).toMatchObject({ partitions: 8, natsUrl: 'nats://a:1,nats://b:2', drainMs: 7 });
  });

  test('take paths from the folder in which they are written', () => {
    expect(resolveSettings({ config, configDir: '/project', cwd: '/project/deep' }).settings.creds).toBe(
      '/project/a.creds',
    );
    expect(
      resolveSettings({ env: { TROUPE_NATS_CREDS: 'b.creds' }, config, configDir: '/project', cwd: '/project/deep' })
        .settings.creds,
    ).toBe('/project/deep/b.creds');
  });

  test.each([
    [{ flags: { partitions: 'many' } }, '--partitions is "many": use a whole number from 1 to 1024.'],
    [{ env: { TROUPE_NATS_PORT: '70000' } }, 'TROUPE_NATS_PORT is "70000"'],
    [{ flags: { prefix: '' } }, '--prefix is "": use some text.'],
  ])('refuse %j by the name it was given under', (sources, message) => {
    let error: unknown;
    try {
      resolveSettings({ ...sources, cwd: '/' });
    } catch (thrown) {
      error = thrown;
    }
    expect(isTroupeError(error, 'ConfigInvalid')).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  test('have one name each', () => {
    for (const field of ['name', 'flag', 'env', 'config'] as const) {
      const names = SETTINGS.flatMap((setting) => (setting[field] === undefined ? [] : [setting[field]]));
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
