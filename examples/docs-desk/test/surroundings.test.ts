/** What stands around the agents: command line, plan of what to publish, output, lock. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Document,
  fromMemory,
  isAboutMemory,
  lockData,
  nameIn,
  Progress,
  parseOptions,
  planWork,
  showAnswer,
} from '@troupe/example-docs-desk/internal';
import { describe, expect, test } from 'vitest';

describe('the command line', () => {
  const around = { env: {}, cwd: '/srv', rootDir: '/repo', terminal: true };
  const parse = (args: string[], more: Partial<typeof around> & { env?: Record<string, string> } = {}) =>
    parseOptions(args, { ...around, ...more });
  const optionsOf = (...input: Parameters<typeof parse>) => {
    const request = parse(...input);
    return request.kind === 'run' ? request.options : undefined;
  };

  test('says nothing: the packages, the usual port, a folder of its own', () => {
    expect(optionsOf([])).toEqual({
      docs: undefined,
      natsUrl: undefined,
      natsPort: 4222,
      natsPortFixed: false,
      dataDir: '/repo/.troupe/docs-desk',
      once: false,
      gateway: true,
    });
  });

  test('serves the inspector where it stays, unless told otherwise', () => {
    expect(optionsOf(['--once'])).toMatchObject({ once: true, gateway: false });
    expect(optionsOf(['--once', '--gateway'])).toMatchObject({ gateway: true });
    expect(optionsOf(['--no-gateway'])).toMatchObject({ once: false, gateway: false });
  });

  test('goes before the environment', () => {
    const env = { TROUPE_NATS_PORT: '5000', TROUPE_NATS_URL: 'nats://a', TROUPE_DATA: 'x' };
    expect(optionsOf([], { env })).toMatchObject({
      natsPort: 5000,
      natsPortFixed: true,
      natsUrl: 'nats://a',
      dataDir: '/srv/x',
    });
    expect(optionsOf(['--nats-port', '6000', '--nats-url', 'nats://b', '--data', 'y'], { env })).toMatchObject({
      natsPort: 6000,
      natsUrl: 'nats://b',
      dataDir: '/srv/y',
    });
  });

  test('without a terminal it ends after the questions', () => {
    expect(optionsOf([], { terminal: false })?.once).toBe(true);
    expect(optionsOf(['--once'])?.once).toBe(true);
  });

  test('each folder of documents has its own data', () => {
    const one = optionsOf(['--docs', 'my docs']);
    expect(one?.docs).toBe('/srv/my docs');
    expect(one?.dataDir).toMatch(/^\/repo\/\.troupe\/docs-desk-my-docs-[0-9a-f]{8}$/);
    expect(optionsOf(['--docs', '/other/my docs'])?.dataDir).not.toBe(one?.dataDir);
  });

  test('is refused by name', () => {
    expect(parse(['--nope']).kind).toBe('wrong');
    expect(parse(['--nats-port', '70000'])).toMatchObject({ kind: 'wrong', message: expect.stringContaining('70000') });
    expect(parse(['extra']).kind).toBe('wrong');
    expect(parse(['-h']).kind).toBe('help');
  });
});

describe('what is to be published', () => {
  const document = (librarian: string, file: string, hash: string): Document => ({
    librarian,
    file,
    hash,
    path: `/${file}`,
    bytes: 1,
  });
  const documents = [document('a', 'one.md', '1'), document('a', 'two.md', '2'), document('b', 'one.md', '1')];

  const known = (files: Record<string, Record<string, string>>) => new Map(Object.entries(files));

  test('is everything at first, and nothing when all is known', () => {
    expect(planWork(documents, new Map(), true)).toEqual({ publish: documents, forget: [] });
    expect(planWork(documents, known({ a: { 'one.md': '1', 'two.md': '2' }, b: { 'one.md': '1' } }), true)).toEqual({
      publish: [],
      forget: [],
    });
  });

  test('is what has changed; what is gone is forgotten', () => {
    const before = known({
      a: { 'one.md': 'old', 'two.md': '2', 'gone.md': '3' },
      b: { 'one.md': '1' },
      c: { 'x.md': '4' },
    });
    expect(planWork(documents, before, true)).toEqual({
      publish: [documents[0]],
      forget: [
        { librarian: 'a', file: 'gone.md' },
        { librarian: 'c', file: 'x.md' },
      ],
    });
  });

  test("leaves other people's librarians alone on a shared server", () => {
    expect(planWork(documents, known({ c: { 'x.md': '4' } }), false).forget).toEqual([]);
  });
});

describe('small talk', () => {
  test('hears a name', () => {
    expect(nameIn('My name is John')).toBe('John');
    expect(nameIn('Hello, my name is Ann Lee.')).toBe('Ann Lee');
    expect(nameIn('What is my name?')).toBeUndefined();
    expect(nameIn('Is my name is a good variable?')).toBeUndefined();
    expect(nameIn(`my name is ${'x'.repeat(500)}`)).toHaveLength(80);
  });

  test('knows its own questions', () => {
    expect(isAboutMemory("What's my name?")).toBe(true);
    expect(isAboutMemory('What did I ask?')).toBe(true);
    expect(isAboutMemory('What is a name server?')).toBe(false);
    expect(fromMemory({ name: undefined, asked: [] }, 'What did I ask?')).toBe('Nothing so far.');
  });
});

describe('progress', () => {
  const sink = (isTTY: boolean) => {
    const written: string[] = [];
    return { isTTY, written, write: (text: string) => written.push(text) };
  };

  test('is a bar on a terminal, and goes away', () => {
    const to = sink(true);
    const progress = new Progress(to, 'reading', 2, () => 0);
    progress.update(2);
    progress.end();
    expect(to.written.at(-2)).toContain('reading [##############################] 2/2');
    expect(to.written.at(-1)).toBe('\r\u001b[K');
  });

  test('is a plain line now and then elsewhere', () => {
    const to = sink(false);
    let now = 0;
    const progress = new Progress(to, 'reading', 4, () => now);
    for (now = 2_000; now <= 8_000; now += 2_000) progress.update(now / 2_000);
    progress.end();
    expect(to.written).toEqual(['reading: 3 of 4\n']);
  });
});

test('an answer is shown with its sources', () => {
  const passage = { librarian: 'pino', file: 'a.md', line: 3, heading: 'A', text: 'One.\n\n\nTwo.', score: 1 };
  const answer = {
    text: '',
    passages: [passage],
    asked: ['pino', 'zod'],
    silent: [{ librarian: 'zod', reason: 'AskTimeout' }],
  };
  expect(showAnswer('Why?', answer, 12.4, (_colour, text) => text)).toBe(
    '> Why?\n  One.\n\n  Two.\n  pino a.md:3 (A)\n  zod did not answer: AskTimeout\n  (asked pino, zod; 12 ms)\n',
  );
});

test('a data folder is taken by one process, and taken over from a dead one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-desk-lock-'));
  try {
    writeFileSync(join(folder, 'lock'), String(process.ppid));
    expect(() => lockData(folder)).toThrow(`is used by process ${process.ppid}`);
    writeFileSync(join(folder, 'lock'), '999999999');
    lockData(folder).release();
    writeFileSync(join(folder, 'lock'), 'nonsense');
    lockData(folder).release();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
