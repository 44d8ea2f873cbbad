/** Answers and figures, as text for people. */
import { placeOf } from './answers.ts';
import type { DeskAnswer, Passage } from './contracts.ts';

/** Colours a text, or leaves it. */
export type Style = (colour: 'bold' | 'dim' | 'cyan', text: string) => string;

const CODES = { bold: [1, 22], dim: [2, 22], cyan: [36, 39] } as const;
const LINES_MAX = 14;
const WIDTH_MAX = 130;

/** Colours on a terminal, unless NO_COLOR says no. */
export function styleFor(terminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  if (!terminal || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb') return (_colour, text) => text;
  return (colour, text) => `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m`;
}

/** An answer with where it comes from and what it took. */
export function showAnswer(question: string, answer: DeskAnswer, ms: number, style: Style): string {
  const [best, ...others] = answer.passages;
  const lines = [style('bold', `> ${question}`)];
  if (best === undefined) lines.push(indent(answer.text));
  else
    lines.push(
      indent(excerpt(best)),
      indent(style('cyan', placeOf(best))),
      ...others.map((one) => indent(style('cyan', `also ${placeOf(one)}`))),
    );
  for (const { librarian, reason } of answer.silent) lines.push(indent(`${librarian} did not answer: ${reason}`));
  const asked = answer.asked.length === 0 ? 'from its own memory' : `asked ${answer.asked.join(', ')}`;
  lines.push(indent(style('dim', `(${asked}; ${ms.toFixed(0)} ms)`)));
  return `${lines.join('\n')}\n`;
}

/** The beginning of a passage, in lines that fit: prose is wrapped, code is cut. */
export function excerpt({ text }: Passage): string {
  const lines = text
    .split('\n')
    .filter((line, index, all) => line.trim() !== '' || (all[index - 1] ?? '').trim() !== '');
  const shown: string[] = [];
  let code = false;
  for (const line of lines.slice(0, LINES_MAX)) {
    if (/^ {0,3}(```|~~~)/.test(line)) code = !code;
    shown.push(...(line.length <= WIDTH_MAX ? [line] : code ? [`${line.slice(0, WIDTH_MAX - 4)} ...`] : wrap(line)));
  }
  return [...shown, ...(lines.length > LINES_MAX ? ['...'] : [])].join('\n');
}

function wrap(line: string): string[] {
  const rows: string[] = [''];
  for (const word of line.split(' ')) {
    const row = rows.at(-1)!;
    if (row === '') rows[rows.length - 1] = word;
    else if (row.length + word.length < WIDTH_MAX) rows[rows.length - 1] = `${row} ${word}`;
    else rows.push(word);
  }
  return rows;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** @example showBytes(1_500_000) // '1.4 MiB' */
export function showBytes(bytes: number): string {
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(0)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** @example showSeconds(1_234) // '1.2 s' */
export function showSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** What to type in another terminal. */
export function showCommands(natsUrl: string, usual: boolean): string {
  const troupeFlag = usual ? '' : ` --nats-url ${natsUrl}`;
  const natsFlag = usual ? '' : ` -s ${natsUrl}`;
  return `In another terminal:

  npm run -s troupe -- ask desk/john 'What is my name?'${troupeFlag}
  npm run -s troupe -- ask librarian/xstate 'parallel states'${troupeFlag}
  npm run -s troupe -- history desk/john${troupeFlag}
  npm run -s troupe -- state show desk/john${troupeFlag}
  npm run -s troupe -- ls${troupeFlag}

or with any NATS client, here the \`nats\` command:

  nats req troupe.ask.desk.john 'What is my name?'${natsFlag}
  nats req troupe.ask.librarian.xstate '{"type":"document","file":"mine.md","text":"# Mine\\n\\nMy own words."}'${natsFlag}
  nats sub 'troupe.out.>'${natsFlag}
`;
}
