/**
 * The TypeScript in README and docs, as files that can be checked.
 *
 * A block is a file: by default nameless, or `file=agents/order.ts`, so that later blocks of the page can import it. Marks
 * behind `ts`:
 *
 * - `file=PATH` names the file
 * - `run` is run with Node, and has to print what its `// => ` comments say, in their order
 * - `test` is run with vitest
 * - `partial` is a piece of something and isn't checked
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What becomes of a sample. */
export type SampleUse = 'check' | 'run' | 'test' | 'partial';

/** A block of TypeScript on a page. */
export interface Sample {
  /** Path of the page from the root of the repository. */
  readonly page: string;
  /** Line of its first line of code, from 1. */
  readonly line: number;
  readonly use: SampleUse;
  /** Where it is written, from the folder of all samples. */
  readonly file: string;
  readonly code: string;
}

const MARKS = new Set<string>(['run', 'test', 'partial']);

/** README.md and everything under docs/, as paths from `rootDir`. */
export function pagesOf(rootDir: string): string[] {
  const docs = readdirSync(join(rootDir, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(rootDir, join(entry.parentPath, entry.name)));
  return ['README.md', ...docs.sort()];
}

/**
 * The samples of a page.
 *
 * @throws Error naming page and line when a mark is unknown or a block has no end
 */
export function samplesOf(rootDir: string, page: string): Sample[] {
  const lines = readFileSync(join(rootDir, page), 'utf8').split('\n');
  const samples: Sample[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(`{3,})(.*)$/.exec(lines[at]!);
    if (fence === null) continue;
    const end = lines.indexOf(fence[1]!, at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: the code block has no end`);
    const [language, ...marks] = fence[2]!.trim().split(/\s+/);
    if (language === 'ts') samples.push(sampleOf(page, at + 2, marks, lines.slice(at + 1, end).join('\n')));
    at = end;
  }
  return samples;
}

function sampleOf(page: string, line: number, marks: readonly string[], code: string): Sample {
  const unknown = marks.find((mark) => !MARKS.has(mark) && !mark.startsWith('file='));
  if (unknown !== undefined) throw new Error(`${page}:${line - 1}: unknown mark "${unknown}" of a sample`);
  const use = (marks.find((mark) => MARKS.has(mark)) ?? 'check') as SampleUse;
  const name = marks.find((mark) => mark.startsWith('file='))?.slice('file='.length);
  const folder = page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase();
  const ending = use === 'test' ? '.test.ts' : '.ts';
  return { page, line, use, file: join(folder, name ?? `line-${line}${ending}`), code };
}

/** What a sample says it prints. */
export function printedBy({ code }: Sample): string[] {
  return [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, text]) => text!.trim());
}
