/** Help, made from the registry: what is listed is what there is. */
import type { Command } from './command.ts';
import { COMMON_OPTIONS, settingsOf } from './common-options.ts';
import { EXIT, EXIT_MEANINGS } from './exit-codes.ts';

const WIDTH = 100;

/** The list of all commands. */
export function helpOfAll(commands: readonly Command[]): string {
  return [
    'Usage: troupe <command> [arguments] [flags]',
    '',
    'Durable actors for XState agents over NATS.',
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    "'troupe <command> --help' tells more, with examples.",
    'Settings come from flags, then the environment (TROUPE_NATS_URL, TROUPE_PREFIX ...), then troupe.config.ts, then defaults.',
    '',
  ].join('\n');
}

/** A group's commands, such as those of `state`. */
export function helpOfGroup(name: string, commands: readonly Command[]): string {
  return [`Usage: troupe ${name} <command>`, '', ...columns(commands.map((one) => [one.name, one.summary])), ''].join(
    '\n',
  );
}

/** One command in full. */
export function helpOfCommand(command: Command): string {
  return [
    `Usage: ${usageLine(command)}`,
    '',
    ...wrap(command.summary, 0),
    ...(command.description === undefined ? [] : ['', ...wrap(command.description, 0)]),
    ...section(
      'Arguments',
      command.args.map(({ name, meaning }) => [name, meaning]),
    ),
    ...section('Flags', optionRows(command)),
    ...section('Examples', []),
    ...command.examples.flatMap(({ line, meaning }) => [`  ${line}`, `      ${meaning}`]),
    ...section('Exit codes', exitRows(command)),
    '',
  ].join('\n');
}

/** `troupe ask ADDRESS [INPUT] [flags]` */
export function usageLine({ name, args }: Command): string {
  const words = args.map(({ name: arg, optional, rest }) => {
    const shown = rest === true ? `${arg}...` : arg;
    return optional === true ? `[${shown}]` : shown;
  });
  return ['troupe', name, ...words, '[flags]'].join(' ');
}

/** Every flag of a command with its meaning: its own, those of settings, the common ones. */
export function optionRows(command: Command): (readonly [string, string])[] {
  const own = Object.entries(command.options).map(([name, option]) => {
    const head = `${option.short === undefined ? '' : `-${option.short}, `}--${name}`;
    const tail = option.default === undefined ? '' : ` Default: ${option.default}.`;
    return [
      option.placeholder === undefined ? head : `${head} ${option.placeholder}`,
      `${option.meaning}${tail}`,
    ] as const;
  });
  const settings = settingsOf(command.reach).map(
    ({ flag, placeholder, meaning, env }) =>
      [`--${flag} ${placeholder}`, env === undefined ? meaning : `${meaning} (${env})`] as const,
  );
  const common = Object.entries(COMMON_OPTIONS).map(([name, { placeholder, short, meaning }]) => {
    const head = `${short === undefined ? '' : `-${short}, `}--${name}`;
    return [placeholder === undefined ? head : `${head} ${placeholder}`, meaning] as const;
  });
  return [...own, ...settings, ...common];
}

/** Exit codes of a command with their meaning. */
export function exitRows(command: Command): (readonly [string, string])[] {
  const codes =
    command.reach === 'none'
      ? [EXIT.ok, EXIT.failed, EXIT.usage]
      : [EXIT.ok, EXIT.failed, EXIT.usage, EXIT.notConnected, EXIT.timeout];
  const meanings: Record<string, string> = {
    ...Object.fromEntries(codes.map((code) => [code, EXIT_MEANINGS[code]!])),
    ...command.exitCodes,
  };
  return Object.entries(meanings).map(([code, meaning]) => [code, meaning]);
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0 && title === 'Arguments') return [];
  return ['', `${title}:`, ...columns(rows)];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([head]) => head.length));
  return rows.flatMap(([head, text]) => {
    const [first = '', ...more] = wrap(text, width + 4);
    return [`  ${head.padEnd(width)}  ${first.trimStart()}`, ...more];
  });
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one);
}
