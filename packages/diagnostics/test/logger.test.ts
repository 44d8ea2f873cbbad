import { createLogger } from '@troupe/diagnostics';
import { describe, expect, test } from 'vitest';

function capture(options: Parameters<typeof createLogger>[0] = {}) {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (text: string) => void lines.push(JSON.parse(text)) };
  return { lines, log: createLogger({ env: {}, ...options, stream }) };
}

describe('a logger', () => {
  test('writes one JSON object a line, with level, time and fields', () => {
    const { lines, log } = capture({ fields: { component: 'worker' } });
    log.info({ actor: 'support/john', seq: 17 }, 'turn ended');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        component: 'worker',
        actor: 'support/john',
        seq: 17,
        msg: 'turn ended',
      },
    ]);
  });

  test('takes its level from TROUPE_LOG_LEVEL, and the option goes before it', () => {
    const quiet = capture({ env: { TROUPE_LOG_LEVEL: 'error' } });
    quiet.log.info({}, 'not shown');
    const loud = capture({ env: { TROUPE_LOG_LEVEL: 'error' }, level: 'debug' });
    loud.log.debug({}, 'shown');
    expect([quiet.lines.length, loud.lines.length]).toEqual([0, 1]);
  });

  test('says so when the level is unknown', () => {
    const { lines, log } = capture({ env: { TROUPE_LOG_LEVEL: 'loud' } });
    log.info({}, 'shown');
    expect(lines.map((line) => line.msg)).toEqual([expect.stringContaining('unknown log level'), 'shown']);
  });

  test('adds the fields of a child', () => {
    const { lines, log } = capture();
    log.child({ partition: 3 }).warn({}, 'behind');
    expect(lines[0]).toMatchObject({ level: 'warn', partition: 3 });
  });

  test('leaves out secrets, in fields, below fields and in addresses', () => {
    const { lines, log } = capture({ fields: { apiKey: 'k' } });
    log.info(
      { url: 'nats://ann:secret@host:4222', nats: { pass: 'secret' }, Authorization: 'secret' },
      'at nats://ann:secret@host',
    );
    const text = JSON.stringify(lines);
    expect(text).not.toContain('secret');
    expect(lines[0]).toMatchObject({
      url: 'nats://[redacted]@host:4222',
      msg: 'at nats://[redacted]@host',
      apiKey: '[redacted]',
    });
  });

  test('keeps what matters of errors', () => {
    const { lines, log } = capture();
    log.error({ error: new Error('boom', { cause: new TypeError('why') }) }, 'failed');
    expect(lines[0]).toMatchObject({
      error: { name: 'Error', message: 'boom', cause: { name: 'TypeError', message: 'why' } },
    });
  });

  test('survives cycles, getters that throw, and bigints', () => {
    const { lines, log } = capture();
    const cycle: Record<string, unknown> = { n: 1n, bytes: new Uint8Array(3) };
    cycle.self = cycle;
    Object.defineProperty(cycle, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    log.info({ cycle, list: Array.from({ length: 200 }, () => 0) }, 'odd');
    expect(lines[0]).toMatchObject({ cycle: { n: '1', bytes: '[3 bytes]', bad: '[unreadable]' } });
    expect((lines[0]!.list as unknown[]).at(-1)).toBe('[100 more]');
  });
});
