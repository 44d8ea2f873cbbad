/** From words to a command with its arguments: strict, with a guess for what was misspelt. */
import { parseArgs } from 'node:util';
import { nearest } from '@troupe/agent/internal';
import type { Command } from './command.ts';
import { COMMON_OPTIONS, settingsOf } from './common-options.ts';
import { usageError } from './usage-error.ts';

/** What was typed, sorted. */
export interface ParsedArguments {
  readonly args: readonly string[];
  /** Every flag that was given, by name without dashes; a switch is `true`. */
  readonly flags: Readonly<Record<string, string | true | undefined>>;
}

/** What the words begin with. */
export type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly rest: readonly string[] }
  /** A group such as `state` without its second word. */
  | { readonly kind: 'group'; readonly name: string; readonly commands: readonly Command[] }
  | { readonly kind: 'none' };

/**
 * The command that the words begin with.
 *
 * @throws TroupeError `Usage` for an unknown one, with the nearest.
 */
export function findCommand(words: readonly string[], commands: readonly Command[]): Found {
  const [first, second] = words;
  if (first === undefined || first.startsWith('-')) return { kind: 'none' };
  const pair = commands.find(({ name }) => name === `${first} ${second}`);
  if (pair !== undefined) return { kind: 'command', command: pair, rest: words.slice(2) };
  const single = commands.find(({ name }) => name === first);
  if (single !== undefined) return { kind: 'command', command: single, rest: words.slice(1) };
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0)
    throw unknownCommand(
      first,
      commands.map(({ name }) => name.split(' ')[0]!),
    );
  if (second === undefined || second.startsWith('-')) return { kind: 'group', name: first, commands: group };
  throw unknownCommand(
    `${first} ${second}`,
    group.map(({ name }) => name),
  );
}

/**
 * Sorts the words behind a command.
 *
 * @throws TroupeError `Usage` for unknown flags, missing or surplus arguments.
 */
export function parseCommand(command: Command, words: readonly string[]): ParsedArguments {
  const known = optionsOf(command);
  const { tokens } = parseArgs({
    args: [...words],
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const args: string[] = [];
  const flags: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind === 'option') flags[token.name] = readOption(command, known, token);
  }
  if (flags.help === undefined) checkCount(command, args);
  return { args, flags };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

type Known = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>;

function readOption(command: Command, known: Known, token: OptionToken): string | true {
  const { name, rawName, value } = token;
  const option = Object.hasOwn(known, name) ? known[name] : undefined;
  if (option === undefined) throw unknownFlag(command, rawName, Object.keys(known));
  if (option.type === 'boolean') {
    if (token.inlineValue === true) throw usageError(`${rawName} takes no value. See troupe ${command.name} --help.`);
    return true;
  }
  if (value === undefined) throw usageError(`${rawName} needs a value. See troupe ${command.name} --help.`);
  // Without "=", what looks like a flag is one that follows a forgotten value.
  if (token.inlineValue === false && value.startsWith('--'))
    throw usageError(`${rawName} needs a value, and ${value} follows it. Write ${rawName}=${value} if that is meant.`);
  return value;
}

function optionsOf(command: Command): Known {
  const own = Object.entries({ ...COMMON_OPTIONS, ...command.options }).map(([name, { placeholder, short }]) => {
    const type = placeholder === undefined ? ('boolean' as const) : ('string' as const);
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  const settings = settingsOf(command.reach).map(({ flag }) => [flag!, { type: 'string' as const }] as const);
  return Object.fromEntries([...settings, ...own]);
}

function checkCount(command: Command, args: readonly string[]): void {
  const missing = command.args.filter(({ optional }) => optional !== true)[args.length];
  if (missing !== undefined)
    throw usageError(
      `troupe ${command.name} needs ${missing.name}: ${missing.meaning} See troupe ${command.name} --help.`,
    );
  const last = command.args.at(-1);
  if (last?.rest === true || args.length <= command.args.length) return;
  const quote = command.args.length > 0 ? ' Put text with spaces in quotes.' : '';
  throw usageError(
    `troupe ${command.name} takes ${command.args.length || 'no'} argument${command.args.length === 1 ? '' : 's'}, and ${JSON.stringify(args[command.args.length])} is one more.${quote}`,
  );
}

function unknownCommand(word: string, names: readonly string[]): Error {
  const guess = nearest(word, names);
  return usageError(
    `There is no command '${word}'. ${guess === undefined ? 'See troupe --help.' : `Did you mean 'troupe ${guess}'?`}`,
  );
}

function unknownFlag(command: Command, flag: string, names: readonly string[]): Error {
  const guess = nearest(flag.replace(/^-+/, ''), names);
  const hint = guess === undefined ? '' : ` Did you mean --${guess}?`;
  const dash = /^-\d|^-[^-]\S/.test(flag) ? ' Put -- before text that begins with a dash.' : '';
  return usageError(`troupe ${command.name} has no flag ${flag}.${hint}${dash} See troupe ${command.name} --help.`);
}
