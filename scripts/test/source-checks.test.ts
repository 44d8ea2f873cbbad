import { describe, expect, test } from 'vitest';
import { checkForgotten } from '../checks/forgotten.ts';
import { checkPurity } from '../checks/purity.ts';
import { reportSizes } from '../checks/size.ts';
import { parseSource, requestsOf } from '../checks/source.ts';

describe('what a file imports', () => {
  test('static, type-only, re-exported, and dynamic by a literal; each once', () => {
    const text = `import { a, b } from 'one';
import type { C } from 'two';
import 'three';
export { d, e } from 'four';
export * from 'five';
const six = await import('six');
const unknown = await import(six);
export const own = 1;`;
    const requests = requestsOf(parseSource('a.ts', text));
    expect(requests.map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
      '1 one',
      '2 two',
      '3 three',
      '4 four',
      '5 five',
      '6 six',
    ]);
  });
});

describe('purity', () => {
  const problems = (text: string) =>
    checkPurity(parseSource('a.ts', text), 'a.ts').map((sentence) => sentence.split(';')[0]);

  test.for([
    ['const now = Date.now();', 'Date.now'],
    ["const now = Date['now']();", 'Date.now'],
    ['const now = new Date();', 'new Date()'],
    ['const now = Date();', 'Date()'],
    ['const { now } = Date;', 'taking Date apart'],
    ['const dice = Math.random();', 'Math.random'],
    ['const roll = Math.random;', 'Math.random'],
    ['const { random } = Math;', 'Math.random'],
    ['const start = performance.now();', 'performance'],
    ['const id = crypto.randomUUID();', 'crypto'],
    ['const clock = globalThis.Date;', 'globalThis'],
    ["import { randomUUID } from 'node:crypto';", 'import of "node:crypto"'],
  ] as const)('%s is refused', ([text, what]) => {
    expect(problems(text)).toEqual([`a.ts:1: ${what}`]);
  });

  test.for([
    'const date = new Date(entry.at);',
    'const type: Date | undefined = undefined;',
    'const max = Math.max(1, 2);',
    'const when = Date.UTC(2020, 1);',
    'const { max } = Math;',
    'const at = clock.now();',
    'const settings = { performance: 1, crypto: options.crypto };',
    '// Date.now() in a comment',
  ])('%s is fine', (text) => {
    expect(problems(text)).toEqual([]);
  });
});

describe('sizes', () => {
  const lines = (count: number) => 'x();\n'.repeat(count);

  test('a function over 70 lines and a file over 400 are named', () => {
    expect(reportSizes(parseSource('a.ts', `function long() {\n${lines(69)}}`), 'a.ts')).toEqual([
      'a.ts:1: long has 71 lines',
    ]);
    expect(reportSizes(parseSource('a.ts', `const long = () => {\n${lines(69)}};`), 'a.ts')).toEqual([
      'a.ts:1: long has 71 lines',
    ]);
    expect(reportSizes(parseSource('a.ts', lines(401)), 'a.ts')).toEqual(['a.ts: 401 lines']);
  });

  test('at the limit nothing is said', () => {
    expect(reportSizes(parseSource('a.ts', `class C { m() {\n${lines(68)}} }`), 'a.ts')).toEqual([]);
  });
});

describe('forgotten exports', () => {
  /** Declaration files by their source's path. */
  const problems = (files: Record<string, string>) =>
    checkForgotten('/p/src/index.ts', (path) => {
      const text = files[path.replace('/p/src/', '')];
      return text === undefined ? undefined : parseSource(`${path}.d.ts`, text);
    });

  test('a type of a public signature that the index does not export is named once', () => {
    const found = problems({
      'index.ts': "export { open, close } from './door.ts';",
      'door.ts':
        "import type { Key } from './key.ts';\nexport declare function open(key: Key): void;\nexport declare function close(key: Key): void;",
      'key.ts': 'export interface Key { cut: string; }',
    });
    expect(found).toEqual(['/p/src/key.ts: Key is part of the public open but not exported from the index']);
  });

  test('it may be exported under another name or through another file', () => {
    const found = problems({
      'index.ts': "export { open } from './door.ts';\nexport type { Key as DoorKey } from './keys.ts';",
      'door.ts': "import type { Key } from './key.ts';\nexport declare function open(key: Key): void;",
      'keys.ts': "export type { Key } from './key.ts';",
      'key.ts': 'export interface Key { cut: string; }',
    });
    expect(found).toEqual([]);
  });

  test('inferred types, base classes and unexported aliases count', () => {
    const found = problems({
      'index.ts': "export { made, Sub } from './a.ts';",
      'a.ts': `import { Base } from './b.ts';
type Hidden = { x: 1 };
export declare const made: import("./b.ts").Made<Hidden>;
export declare class Sub extends Base { }`,
      'b.ts': 'export declare class Base { }\nexport interface Made<T> { value: T; }',
    });
    expect(found.map((line) => line.split(' is ')[0])).toEqual([
      '/p/src/b.ts: Made',
      '/p/src/a.ts: Hidden',
      '/p/src/b.ts: Base',
    ]);
  });

  test('type parameters, private members and other packages are not ours to export', () => {
    const found = problems({
      'index.ts': "export { Box } from './a.ts';",
      'a.ts': `import type { Other } from 'elsewhere';
import { Inner } from './b.ts';
export declare class Box<T> { #inner; private inner: Inner; map<U>(f: (value: T) => U): Box<U>; other: Other; date: Date; }`,
      'b.ts': 'export declare class Inner { }',
    });
    expect(found).toEqual([]);
  });

  test('the index names its exports one by one', () => {
    expect(problems({ 'index.ts': "export * from './a.ts';" })).toEqual([
      '/p/src/index.ts: "export *" from ./a.ts; name the exports',
    ]);
  });
});
