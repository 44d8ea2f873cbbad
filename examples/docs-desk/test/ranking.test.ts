import { rank, type Section, terms, words } from '@troupe/example-docs-desk/internal';
import { describe, expect, test } from 'vitest';

const section = (heading: string, text: string, line = 1): Section => ({ file: 'a.md', line, heading, text });

describe('words', () => {
  test('are lower case, without endings, and without those of every question', () => {
    expect(words('How do I redact the Secrets?')).toEqual(['redact', 'secret']);
  });

  test('of a family are one', () => {
    for (const family of [
      'redact redacts redacted redacting redaction',
      'log logs logged logging logger',
      'parse parses parsed parsing parser',
      'time times timer timers timed',
      'query queries',
    ]) {
      expect(new Set(words(family)).size, family).toBe(1);
    }
  });

  test('of a camel-case name are the name and its parts', () => {
    expect(words('safeParse')).toEqual(['safepars', 'saf', 'pars']);
  });

  test('of other alphabets count too', () => {
    expect(words('что такое актор')).toContain('актор');
  });
});

describe('ranking', () => {
  const sections = [
    section('Usage', 'Call the function with a path and it returns a stream.', 1),
    section('Redaction', 'Paths to keys that hold secrets are replaced before a line is logged.', 20),
    section('Levels', 'A line is logged when its level is high enough. Levels are numbers. Levels have names.', 40),
  ];

  test('what speaks of the whole question comes first', () => {
    expect(rank(sections, 'How do I redact secrets from logs?', 3).map(({ section: { line } }) => line)).toEqual([
      20, 40,
    ]);
  });

  test('a heading counts more than a mention', () => {
    const two = [
      section('Other', 'Retries are explained elsewhere.', 1),
      section('Retries', 'They are tried again.', 9),
    ];
    expect(rank(two, 'retries', 1)[0]?.section.line).toBe(9);
  });

  test('a question of nothing but small words finds nothing', () => {
    expect(rank(sections, 'how do I do this?', 3)).toEqual([]);
    expect(rank(sections, '', 3)).toEqual([]);
    expect(rank([], 'redact', 3)).toEqual([]);
  });

  test('equal passages keep the order of file and line', () => {
    const same = [section('A', 'alpha beta', 9), section('A', 'alpha beta', 3)];
    expect(rank(same, 'alpha', 2).map(({ section: { line } }) => line)).toEqual([3, 9]);
  });

  test('weights from outside make scores of different lists comparable', () => {
    const [mine] = rank([section('', 'alpha beta')], 'alpha', 1, [['alpha', 2]]);
    const [other] = rank([section('', 'alpha beta'), section('', 'alpha gamma')], 'alpha', 1, [['alpha', 2]]);
    expect(mine?.score).toBe(other?.score);
  });

  test('words named like parts of every object are words', () => {
    expect(rank([section('', 'the constructor and toString')], 'constructor', 1, [['constructor', 1]])).toHaveLength(1);
    expect(rank([section('', 'nothing')], 'constructor toString', 1)).toEqual([]);
  });
});

describe('terms', () => {
  test('are the most frequent words first, without numbers', () => {
    expect(terms([section('Levels', 'levels levels lines 2024 2024 2024')], 2)).toEqual(['level', 'lin']);
  });
});
