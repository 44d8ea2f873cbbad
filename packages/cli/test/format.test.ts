import {
  bannerLines,
  isCode,
  shellWord,
  showBytes,
  showDistance,
  showLogLine,
  showShort,
  showValue,
  table,
} from '@troupe/cli/internal';
import { describe, expect, test } from 'vitest';

const plain = (_colour: string, text: string) => text;

describe('values', () => {
  test('are text as it is, and everything else as JSON', () => {
    expect(showValue('Hello John.')).toBe('Hello John.');
    expect(showValue({ a: [1, null] })).toBe('{\n  "a": [\n    1,\n    null\n  ]\n}');
  });

  test('steer no terminal', () => {
    expect(showValue('a\u001b[2Jb\r')).toBe('a\\x1b[2Jb\\x0d');
  });

  test('are cut off on one line', () => {
    expect(showShort({ text: 'x'.repeat(200) }, 20)).toHaveLength(20);
  });

  test.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [4 * 1024 ** 3, '4.0 GiB'],
  ])('%i bytes are %s', (bytes, text) => expect(showBytes(bytes)).toBe(text));

  test.each([
    [90_000, 'in 2 min'],
    [-3_600_000, '1 h ago'],
    [250, 'in 250 ms'],
  ])('%i ms are %s', (ms, text) => expect(showDistance(ms)).toBe(text));

  test('stand in columns', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['long one', 'x'],
          ['y', ''],
        ],
      ),
    ).toBe('A         B\nlong one  x\ny');
  });

  test.each([
    ['support/john', 'support/john'],
    ['My name is John', "'My name is John'"],
    ["it's", "'it'\\''s'"],
    ['', "''"],
  ])('%j is %s for a shell', (word, quoted) => expect(shellWord(word)).toBe(quoted));
});

describe('the banner of dev', () => {
  const input = {
    url: 'nats://127.0.0.1:4222',
    prefix: 'troupe',
    own: true,
    dataDir: '/p/.troupe/data',
    suggestion: undefined,
    page: undefined,
    command: 'troupe',
  };

  test('says that authentication is off, and what to paste', () => {
    const lines = bannerLines({ ...input, actors: [{ type: 'support', version: 1, events: ['task'] }] });
    expect(lines.join('\n')).toContain('Authentication is off');
    expect(lines).toContain("troupe ask support/john 'My name is John'");
    expect(lines).toContain("nats req troupe.ask.support.john 'My name is John'");
  });

  test('suggests an event that the machine takes, at the address it has', () => {
    const lines = bannerLines({
      ...input,
      url: 'nats://127.0.0.1:5',
      prefix: 'shop',
      command: 'npm run -s troupe --',
      actors: [{ type: 'order', version: 2, events: ['placed'] }],
    });
    expect(lines).toContain(
      `npm run -s troupe -- ask order/john '{"type":"placed"}' --nats-url nats://127.0.0.1:5 --prefix shop`,
    );
    expect(lines).toContain(`nats -s nats://127.0.0.1:5 req shop.ask.order.john '{"type":"placed"}'`);
  });

  test('names a page only when one is served', () => {
    const actors = [{ type: 'support', version: 1, events: ['task'] }];
    expect(bannerLines({ ...input, actors }).join('\n')).not.toContain('http');
    const page = { url: 'http://127.0.0.1:4280', needsToken: false, portTaken: undefined };
    expect(bannerLines({ ...input, actors, page })).toContain('Look inside: http://127.0.0.1:4280');
    const other = { url: 'http://127.0.0.1:4281', needsToken: true, portTaken: 4280 };
    expect(bannerLines({ ...input, actors, page: other }).slice(-2)).toEqual([
      'Look inside: http://127.0.0.1:4281  (sign in with a token of its file or environment)',
      '(port 4280 is taken by something else; this is the next free one)',
    ]);
  });

  test('suggests nothing where there are no actors', () => {
    expect(bannerLines({ ...input, actors: [] }).join('\n')).not.toContain('troupe ask');
  });
});

describe('the log of dev', () => {
  test('shows a log line for people', () => {
    expect(showLogLine('{"level":"warn","msg":"behind","component":"worker","partition":3}', plain)).toBe(
      'warn: behind  partition=3',
    );
  });

  test('shows what is no log line as it is', () => {
    expect(showLogLine('hello from an agent', plain)).toBe('hello from an agent');
    expect(showLogLine('{"a":1}', plain)).toBe('{"a":1}');
  });

  test.each([
    ['agents/order.ts', true],
    ['troupe.config.ts', true],
    ['node_modules/x/index.js', false],
    ['.troupe/data/x.json', false],
    ['notes.md', false],
  ])('a change of %s reloads: %s', (file, expected) => expect(isCode(file)).toBe(expected));
});
