import { COMMANDS } from '@troupe/cli';
import { findCommand, parseCommand } from '@troupe/cli/internal';
import { describe, expect, test } from 'vitest';

const command = (name: string) => COMMANDS.find((one) => one.name === name)!;
const parse = (name: string, ...words: string[]) => parseCommand(command(name), words);

describe('finding a command', () => {
  test('takes one word or two', () => {
    expect(findCommand(['ask', 'a/b'], COMMANDS)).toMatchObject({
      kind: 'command',
      command: { name: 'ask' },
      rest: ['a/b'],
    });
    expect(findCommand(['state', 'show', 'a/b'], COMMANDS)).toMatchObject({
      command: { name: 'state show' },
      rest: ['a/b'],
    });
  });

  test('shows a group when its second word is missing', () => {
    expect(findCommand(['state'], COMMANDS)).toMatchObject({ kind: 'group', name: 'state' });
    expect(findCommand(['dead', '--help'], COMMANDS)).toMatchObject({ kind: 'group', name: 'dead' });
  });

  test.each([
    [['aks'], "Did you mean 'troupe ask'?"],
    [['state', 'shwo'], "Did you mean 'troupe state show'?"],
    [['dead', 'redirve', '1'], "Did you mean 'troupe dead redrive'?"],
    [['something-else'], 'See troupe --help.'],
  ])('guesses what %j was to be', (words, hint) => {
    expect(() => findCommand(words, COMMANDS)).toThrow(hint);
  });
});

describe('parsing', () => {
  test('sorts arguments and flags, wherever they stand', () => {
    expect(parse('ask', '--deadline', '5s', 'a/b', '--json', 'hello')).toEqual({
      args: ['a/b', 'hello'],
      flags: { deadline: '5s', json: true },
    });
    expect(parse('ask', 'a/b', '-f', 'x.json').flags).toEqual({ file: 'x.json' });
    expect(parse('ask', 'a/b', 'x', '--task-id=one').flags).toEqual({ 'task-id': 'one' });
  });

  test('takes - as an argument, and everything behind --', () => {
    expect(parse('ask', 'a/b', '-').args).toEqual(['a/b', '-']);
    expect(parse('ask', 'a/b', '--', '--not-a-flag').args).toEqual(['a/b', '--not-a-flag']);
  });

  test('takes any key', () => {
    const key = 'support/jo hn\'"*>.é/x=1';
    expect(parse('ask', key, 'x').args[0]).toBe(key);
  });

  test.each([
    [['ask', 'a/b', 'x', '--deadlin', '5s'], 'no flag --deadlin. Did you mean --deadline?'],
    [['ask', 'a/b', '-5'], 'Put -- before text that begins with a dash.'],
    [['ask'], 'needs ADDRESS'],
    [['ask', 'a/b', 'one', 'two'], '"two" is one more'],
    [['ask', 'a/b', 'x', '--deadline'], '--deadline needs a value'],
    [['ask', 'a/b', 'x', '--deadline', '--json'], '--json follows it'],
    [['ask', 'a/b', 'x', '--json=yes'], '--json takes no value'],
    [['version', 'x'], 'takes no arguments'],
    [['dead redrive'], 'needs SEQ'],
    [['ls', '--data', '/tmp'], 'no flag --data'],
  ])('refuses %j', ([name, ...words], message) => {
    expect(() => parse(name!, ...words)).toThrow(message);
  });

  test('needs no arguments for help', () => {
    expect(parse('ask', '--help').flags.help).toBe(true);
  });

  test('takes as many as there are where a command says so', () => {
    expect(parse('dead drop', '1', '2', '3').args).toEqual(['1', '2', '3']);
  });
});
