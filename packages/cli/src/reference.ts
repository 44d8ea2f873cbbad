/** docs/reference/cli.md and the tables of configuration.md, made from what the code itself goes by. */
import { OTHER_VARIABLES, SETTINGS } from '@troupe/service-worker/internal';
import type { Command } from './command.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { exitRows, optionRows, usageLine } from './help.ts';

/** Where the generated part of a page begins and ends. */
export const MARKS = { begin: '<!-- generated: begin -->', end: '<!-- generated: end -->' } as const;

/** The generated part of docs/reference/cli.md. */
export function commandReference(commands: readonly Command[]): string {
  const codes = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]);
  return [
    '## Exit codes',
    '',
    ...markdownTable(['code', 'meaning'], codes),
    '',
    'Where a command has its own, its section says so.',
    ...commands.flatMap(sectionOf),
  ].join('\n');
}

/** The generated part of docs/reference/configuration.md. */
export function settingsReference(): string {
  const rows = SETTINGS.map((setting) => [
    setting.flag === undefined ? '' : `\`--${setting.flag}\``,
    setting.env === undefined ? '' : `\`${setting.env}\``,
    setting.config === undefined ? '' : `\`${setting.config}\``,
    setting.defaultText ?? (setting.default === undefined ? 'none' : `\`${setting.default}\``),
    setting.meaning,
  ]);
  return [
    ...markdownTable(['flag', 'environment', 'config file', 'default', 'meaning'], rows),
    '',
    'Variables beside these:',
    '',
    ...markdownTable(
      ['environment', 'meaning'],
      OTHER_VARIABLES.map(({ env, meaning }) => [`\`${env}\``, meaning]),
    ),
  ].join('\n');
}

function sectionOf(command: Command): string[] {
  const own =
    command.exitCodes === undefined ? [] : ['', ...markdownTable(['exit code', 'meaning'], exitRows(command))];
  return [
    '',
    `## troupe ${command.name}`,
    '',
    command.summary,
    ...(command.description === undefined ? [] : ['', command.description]),
    '',
    '```',
    usageLine(command),
    '```',
    ...(command.args.length === 0
      ? []
      : [
          '',
          ...markdownTable(
            ['argument', 'meaning'],
            command.args.map(({ name, meaning }) => [`\`${name}\``, meaning]),
          ),
        ]),
    '',
    ...markdownTable(
      ['flag', 'meaning'],
      optionRows(command).map(([flag, meaning]) => [`\`${flag}\``, meaning]),
    ),
    ...own,
    '',
    '```sh',
    ...command.examples.flatMap(({ line, meaning }) => [`# ${meaning}`, line]),
    '```',
  ];
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `| ${heads.map(() => '---').join(' | ')} |`, ...rows.map(line)];
}
