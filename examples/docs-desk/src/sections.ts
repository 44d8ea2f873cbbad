/** Markdown into passages that are short enough to quote, each with its place: file, line, headings. */

/** A passage of a file. */
export interface Section {
  readonly file: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  /** The headings it stands under, outermost first, joined with ` > `. */
  readonly heading: string;
  readonly text: string;
}

/** Longest passage, characters. A longer section becomes several, divided between paragraphs. */
export const PASSAGE_CHARS_MAX = 1_600;
/** Longest line that is kept whole, characters: a table or an inlined picture tells a reader nothing. */
const LINE_CHARS_MAX = 1_000;
const HEADING_CHARS_MAX = 120;

interface Line {
  readonly number: number;
  readonly text: string;
  /** Inside a fenced block, or one of its fences. */
  readonly code: boolean;
}

/**
 * Splits a Markdown file.
 *
 * @param firstLine number of the text's first line in the file, for a file that comes in parts. Default 1.
 * @example splitSections('README.md', '# A\n\nHello.') // [{ file: 'README.md', line: 3, heading: 'A', text: 'Hello.' }]
 */
export function splitSections(file: string, text: string, firstLine = 1): Section[] {
  const lines = withoutTags(withoutFrontMatter(markCode(text, firstLine)));
  return bySection(lines).flatMap(({ heading, body }) =>
    passages(body)
      .filter((passage) => !isTableOfContents(passage))
      .map((passage) => ({ file, line: passage[0]!.number, heading, text: join(passage) })),
  );
}

/**
 * Divides a file at headings into parts of at most `bytesMax`, so that each fits into a message. A section that is longer
 * than that is cut between lines.
 *
 * @returns the parts with the number of their first line.
 */
export function splitParts(text: string, bytesMax: number): { readonly line: number; readonly text: string }[] {
  const parts: { line: number; text: string }[] = [];
  let part: Line[] = [];
  let bytes = 0;
  const close = (): void => {
    if (part.length > 0) parts.push({ line: part[0]!.number, text: part.map((line) => line.text).join('\n') });
    part = [];
    bytes = 0;
  };
  for (const section of atHeadings(markCode(text, 1))) {
    const size = section.reduce((sum, line) => sum + lineBytes(line), 0);
    if (bytes + size > bytesMax) close();
    for (const line of section) {
      if (bytes + lineBytes(line) > bytesMax) close();
      part.push(line);
      bytes += lineBytes(line);
    }
  }
  close();
  return parts;
}

const encoder = new TextEncoder();

function lineBytes({ text }: Line): number {
  return encoder.encode(text).length + 1;
}

function atHeadings(lines: readonly Line[]): Line[][] {
  const groups: Line[][] = [];
  for (const line of lines) {
    if (groups.length === 0 || headingOf(line) !== undefined) groups.push([]);
    groups.at(-1)!.push(line);
  }
  return groups;
}

function markCode(text: string, firstLine: number): Line[] {
  let fence: string | undefined;
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line, index) => {
      const mark = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
      const inside = fence !== undefined;
      if (mark !== null && fence === undefined) fence = mark[1]!;
      else if (mark !== null && fence !== undefined && mark[1]!.startsWith(fence) && mark[2]!.trim() === '')
        fence = undefined;
      return { number: firstLine + index, text: line, code: inside || fence !== undefined };
    });
}

function withoutFrontMatter(lines: readonly Line[]): readonly Line[] {
  if (lines[0]?.number !== 1 || lines[0].text !== '---') return lines;
  const end = lines.findIndex((line, index) => index > 0 && line.text === '---');
  return end < 0 ? lines : lines.slice(end + 1);
}

const TAG =
  /<!--[\s\S]*?-->|<\/?(?:a|b|br|center|code|details|div|em|h[1-6]|hr|i|img|kbd|li|ol|p|picture|pre|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|ul|video)(?:\s[^<>]*)?\/?>/gi;

/** Takes HTML out of everything but code; the lines keep their numbers. */
function withoutTags(lines: readonly Line[]): Line[] {
  const cleaned: Line[] = [];
  for (let from = 0; from < lines.length; ) {
    const { code } = lines[from]!;
    let to = from;
    while (to < lines.length && lines[to]!.code === code) to++;
    const run = lines.slice(from, to);
    cleaned.push(...(code ? run : withoutTagsIn(run)));
    from = to;
  }
  return cleaned;
}

function withoutTagsIn(run: readonly Line[]): Line[] {
  const text = run.map((line) => line.text).join('\n');
  const texts = text.replace(TAG, (tag) => tag.replace(/[^\n]+/g, '')).split('\n');
  return run.map((line, index) => ({ ...line, text: texts[index]! }));
}

function headingOf({ text, code }: Line): { readonly level: number; readonly title: string } | undefined {
  if (code) return undefined;
  const atx = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(text);
  return atx === null ? undefined : { level: atx[1]!.length, title: plainTitle(atx[2]!) };
}

/** `Title` over `=====` or `-----`. */
function underlinedHeading(
  line: Line,
  next: Line | undefined,
): { readonly level: number; readonly title: string } | undefined {
  if (next === undefined || line.code || next.code || !/^ {0,3}[^\s>#|`\-*+\d]/.test(line.text)) return undefined;
  const underline = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(next.text);
  return underline === null
    ? undefined
    : { level: underline[1]!.startsWith('=') ? 1 : 2, title: plainTitle(line.text) };
}

function plainTitle(title: string): string {
  return title
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/[*`]/g, '')
    .trim()
    .slice(0, HEADING_CHARS_MAX);
}

function bySection(lines: readonly Line[]): { readonly heading: string; readonly body: Line[] }[] {
  const sections: { heading: string; body: Line[] }[] = [{ heading: '', body: [] }];
  const titles: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const underlined = underlinedHeading(line, lines[at + 1]);
    const heading = headingOf(line) ?? underlined;
    if (heading === undefined) {
      sections.at(-1)!.body.push(line);
      continue;
    }
    if (underlined !== undefined) at++;
    titles.length = Math.min(titles.length, heading.level - 1);
    while (titles.length < heading.level - 1) titles.push('');
    titles.push(heading.title);
    sections.push({ heading: titles.filter((title) => title !== '').join(' > '), body: [] });
  }
  return sections;
}

/** Paragraphs and code blocks, put together up to the longest passage. */
function passages(body: readonly Line[]): Line[][] {
  const found: Line[][] = [];
  let chars = 0;
  for (const block of blocks(body)) {
    const size = block.reduce((sum, line) => sum + line.text.length + 1, 0);
    if (found.length === 0 || chars + size > PASSAGE_CHARS_MAX) {
      found.push([]);
      chars = 0;
    }
    found.at(-1)!.push(...block);
    chars += size;
  }
  return found;
}

function blocks(body: readonly Line[]): Line[][] {
  const found: Line[][] = [];
  let open: Line[] = [];
  let chars = 0;
  const close = (): void => {
    if (open.length > 0) found.push(open);
    open = [];
    chars = 0;
  };
  for (const line of body.map(shortened)) {
    const blank = line.text.trim() === '';
    if (blank && !line.code) {
      close();
      continue;
    }
    if (isNoise(line)) continue;
    if (chars + line.text.length > PASSAGE_CHARS_MAX) close();
    open.push(line);
    chars += line.text.length + 1;
  }
  close();
  return found;
}

function shortened(line: Line): Line {
  return line.text.length <= LINE_CHARS_MAX ? line : { ...line, text: `${line.text.slice(0, LINE_CHARS_MAX)} ...` };
}

/** Badges and link definitions. */
function isNoise({ text, code }: Line): boolean {
  if (code) return false;
  const rest = text.replace(/\[?!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])\]?(\([^)]*\)|\[[^\]]*\])?/g, '').trim();
  return rest === '' || /^\[[^\]]+\]:\s*\S+/.test(text);
}

/** Links that lead to other sections say where something is, not what. */
function isTableOfContents(passage: readonly Line[]): boolean {
  const lines = passage.filter(({ text }) => text.trim() !== '');
  const links = lines.filter(({ text }) => /^\s*([-*+]|\d+[.)])\s+\[[^\]]+\]\([^)]*\)[\s.,:;]*$/.test(text));
  return links.length >= 3 && links.length / lines.length >= 0.7;
}

function join(passage: readonly Line[]): string {
  let text = '';
  for (const [index, line] of passage.entries()) {
    const gap = index > 0 && line.number > passage[index - 1]!.number + 1;
    text += index === 0 ? line.text : `${gap ? '\n\n' : '\n'}${line.text}`;
  }
  return text.trimEnd();
}
