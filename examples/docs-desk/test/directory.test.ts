import { type DirectoryContext, list, route } from '@troupe/example-docs-desk/internal';
import { describe, expect, test } from 'vitest';

const listed = (librarian: string, terms: string, files: Record<string, string> = { 'README.md': 'h' }) => ({
  type: 'listed' as const,
  librarian,
  terms,
  sections: 1,
  files,
});
const start: DirectoryContext = { listings: [], leftOut: [] };
const three = [
  listed('pino', 'log level redact transport'),
  listed('zod', 'schema pars valid'),
  listed('nats', 'connect server log'),
].reduce(list, start);
const whom = (question: string, context = three) => {
  const answer = route(context, question);
  return answer.kind === 'route' ? answer.librarians : [];
};

describe('the directory', () => {
  test('sends a question to those who speak of it', () => {
    expect(whom('How do I parse with a schema?')).toEqual(['zod']);
    expect(whom('redact logs')[0]).toBe('pino');
  });

  test('a word that few know decides more than one that many know', () => {
    expect(whom('log redact')).toEqual(['pino']);
  });

  test('asks the one that is named', () => {
    expect(whom('What is zod?')).toEqual(['zod']);
    expect(whom('Does @a/b.c* work?', list(three, listed('@a/b.c*', 'other')))).toEqual(['@a/b.c*']);
  });

  test('asks nobody about what nobody knows', () => {
    expect(whom('quantum gravity')).toEqual([]);
    expect(whom('log', start)).toEqual([]);
  });

  test('a new listing replaces the old one, and one without files takes it off', () => {
    expect(whom('gravity', list(three, listed('zod', 'gravity')))).toEqual(['zod']);
    expect(list(three, listed('zod', '', {})).listings.map(({ librarian }) => librarian)).toEqual(['pino', 'nats']);
  });

  test('is bounded, and names who did not fit', () => {
    const full = Array.from({ length: 300 }, (_, n) => listed(`p${n}`, 'word '.repeat(500))).reduce(list, start);
    expect(full.leftOut.length).toBe(100);
    expect(JSON.stringify(full).length).toBeLessThan(512 * 1_024);
  });
});
