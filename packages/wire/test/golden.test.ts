import { describe, expect, test } from 'vitest';
import { goldens, readFixtures, show } from './golden.ts';

const fixtures = readFixtures();
const byName = new Map(goldens.map((golden) => [golden.name, golden]));

describe('bytes written by the first release of format 1', () => {
  test.each(Object.keys(fixtures))('%s is read as it was, and written again byte for byte', (name) => {
    const { decode, encode } = byName.get(name)!;
    const { hex, shown } = fixtures[name]!;
    const value = decode(new Uint8Array(Buffer.from(hex, 'hex')));
    expect(show(value)).toBe(shown);
    expect(Buffer.from(encode(value)).toString('hex')).toBe(hex);
  });

  test('there is a fixture for every case; node packages/wire/test/golden.ts adds missing ones', () => {
    expect(Object.keys(fixtures).sort()).toEqual([...byName.keys()].sort());
  });
});
