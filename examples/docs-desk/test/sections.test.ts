import { PASSAGE_CHARS_MAX, splitParts, splitSections } from '@troupe/example-docs-desk/internal';
import { describe, expect, test } from 'vitest';

const places = (text: string) => splitSections('a.md', text).map(({ line, heading, text }) => [line, heading, text]);

describe('splitting Markdown into sections', () => {
  test('a section has its headings, its line and its text', () => {
    expect(places('# One\n\nFirst.\n\n## Two\n\nSecond.\nThird.\n\n# Three\nFourth.')).toEqual([
      [3, 'One', 'First.'],
      [7, 'One > Two', 'Second.\nThird.'],
      [11, 'Three', 'Fourth.'],
    ]);
  });

  test('text before the first heading has none', () => {
    expect(places('Hello.\n\n# One\n\nFirst.')[0]).toEqual([1, '', 'Hello.']);
  });

  test('underlined headings count', () => {
    expect(places('One\n===\n\nFirst.\n\nTwo\n---\n\nSecond.')).toEqual([
      [4, 'One', 'First.'],
      [9, 'One > Two', 'Second.'],
    ]);
  });

  test('a comment in a code block is no heading, and its blank lines stay', () => {
    expect(places('# One\n\n```sh\n# not a heading\n\nrun\n```\n')).toEqual([
      [3, 'One', '```sh\n# not a heading\n\nrun\n```'],
    ]);
  });

  test('a fence ends only with as many marks', () => {
    expect(places('````md\n```\n# inside\n```\n````\n# After\nText.').map(([, heading]) => heading)).toEqual([
      '',
      'After',
    ]);
  });

  test('links and markup are taken out of headings', () => {
    expect(places('## [`use`](#use) the *thing* <a name="x"></a>\n\nText.')[0]?.[1]).toBe('use the thing');
  });

  test('front matter, comments, badges, link definitions and tags are left out; lines keep their numbers', () => {
    const text =
      '---\ntitle: x\n---\n<!-- one\ntwo -->\n[![badge](a.svg)](b)\n<p align="center">\nHello.\n</p>\n\n[a]: https://a\n';
    expect(places(text)).toEqual([[8, '', 'Hello.']]);
  });

  test('a generic type in code keeps its brackets', () => {
    expect(places('A `Promise<string>` is returned.')[0]?.[2]).toBe('A `Promise<string>` is returned.');
  });

  test('a table of contents is left out', () => {
    expect(places('# Contents\n\n- [One](#one)\n- [Two](#two)\n- [Three](#three)\n\n# One\n\nText.')).toEqual([
      [9, 'One', 'Text.'],
    ]);
  });

  test('a long section becomes passages with lines of their own', () => {
    const paragraph = `${'word '.repeat(120).trim()}.`;
    const found = splitSections('a.md', `# One\n\n${Array(6).fill(paragraph).join('\n\n')}`);
    expect(found.map(({ line, heading }) => [line, heading])).toEqual([
      [3, 'One'],
      [7, 'One'],
      [11, 'One'],
    ]);
    for (const { text } of found) expect(text.length).toBeLessThanOrEqual(PASSAGE_CHARS_MAX);
  });

  test('an endless line is cut', () => {
    expect(splitSections('a.md', 'x'.repeat(50_000))[0]?.text.length).toBeLessThan(PASSAGE_CHARS_MAX);
  });

  test('any text at all can be split', () => {
    for (const text of [
      '',
      '\n\n',
      '#',
      '# ',
      '```',
      '---',
      '\r\n# A\r\nb\r\n',
      '\uFEFF# A\n\nb',
      '<!-- open',
      '===',
    ]) {
      expect(() => splitSections('a.md', text)).not.toThrow();
    }
  });
});

describe('splitting a file into parts', () => {
  const text = `# One\n${'a\n'.repeat(40)}# Two\n${'b\n'.repeat(40)}# Three\n${'c\n'.repeat(40)}end`;

  test('parts end at headings and know their first line', () => {
    expect(splitParts(text, 200).map(({ line, text }) => [line, text.split('\n')[0]])).toEqual([
      [1, '# One'],
      [83, '# Three'],
    ]);
  });

  test('put together they are the file', () => {
    for (const bytesMax of [10, 50, 120, 1_000]) {
      expect(
        splitParts(text, bytesMax)
          .map((part) => part.text)
          .join('\n'),
      ).toBe(text);
    }
  });

  test('a section that is too long is cut between lines', () => {
    for (const part of splitParts('é\n'.repeat(100), 30))
      expect(new TextEncoder().encode(part.text).length).toBeLessThanOrEqual(30);
  });

  test('sections of a part have the lines of the file', () => {
    const last = splitParts(text, 200)[1]!;
    expect(splitSections('a.md', last.text, last.line)[0]?.line).toBe(84);
  });
});
