import { forget, type LibrarianContext, SECTIONS_BYTES_MAX, shelve } from '@troupe/example-docs-desk/internal';
import { describe, expect, test } from 'vitest';

const empty: LibrarianContext = { name: 'pino', sections: [], files: {}, bytes: 0 };
const document = (text: string, more: Partial<Parameters<typeof shelve>[1]> = {}) => ({
  type: 'document' as const,
  file: 'a.md',
  text,
  hash: 'h1',
  line: 1,
  part: 1,
  parts: 1,
  ...more,
});

describe('a librarian', () => {
  test('keeps the sections of a file', () => {
    const after = shelve(empty, document('# A\n\nOne.\n\n# B\n\nTwo.'));
    expect(after.sections.map(({ heading }) => heading)).toEqual(['A', 'B']);
    expect(after.files['a.md']).toEqual({ hash: 'h1', partsRead: 1, parts: 1, sections: 2, leftOut: 0 });
  });

  test('changes nothing at the same content again', () => {
    const once = shelve(empty, document('# A\n\nOne.'));
    expect(shelve(once, document('# A\n\nOne.'))).toBe(once);
  });

  test('replaces a file that has changed', () => {
    const once = shelve(empty, document('# A\n\nOne.'));
    const twice = shelve(once, document('# A\n\nTwo.', { hash: 'h2' }));
    expect(twice.sections.map(({ text }) => text)).toEqual(['Two.']);
  });

  test('reads the parts of a file in order, and each once', () => {
    const parts = [1, 2, 3].map((part) => document(`# ${part}\n\nPart.`, { part, parts: 3, line: part * 10 }));
    const third = parts.reduce(shelve, empty);
    expect(third.sections.map(({ line }) => line)).toEqual([12, 22, 32]);
    expect(shelve(third, parts[1]!)).toBe(third);
    expect(shelve(shelve(empty, parts[0]!), parts[2]!).sections).toHaveLength(1);
  });

  test('forgets a file with all that is known of it', () => {
    const two = shelve(shelve(empty, document('One.')), document('Two.', { file: 'b.md' }));
    const one = forget(two, 'a.md');
    expect(one.sections.map(({ file }) => file)).toEqual(['b.md']);
    expect(one.bytes).toBe(shelve(empty, document('Two.', { file: 'b.md' })).bytes);
    expect(forget(one, 'never.md')).toBe(one);
  });

  test('stays within its bound, and counts what it left out', () => {
    const long = Array.from({ length: 600 }, (_, n) => `# Heading ${n}\n\n${'word '.repeat(200)}`).join('\n\n');
    const full = shelve(empty, document(long));
    expect(full.bytes).toBeLessThanOrEqual(SECTIONS_BYTES_MAX);
    const { sections, leftOut } = full.files['a.md']!;
    expect(leftOut).toBeGreaterThan(0);
    expect(sections + leftOut).toBe(600);
    expect(JSON.stringify(full).length).toBeLessThan(512 * 1_024);
  });
});
