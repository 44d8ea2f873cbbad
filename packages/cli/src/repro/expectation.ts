/** What `--expect` means: a module, or an expression. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Expectation } from '@troupe/inspect';
import type { CommandContext } from '../context.ts';
import { usageError } from '../usage-error.ts';

/** An expectation, and how a test gets it. */
export interface GivenExpectation {
  readonly check: Expectation;
  readonly source: { readonly file: string } | { readonly expression: string };
}

/** What an expression may name. */
const NAMES = ['value', 'context', 'status', 'before', 'entry', 'effects', 'seq', 'at'] as const;

export const EXPECT_OPTION = {
  expect: {
    meaning: `What must hold after every step: an expression over ${NAMES.join(', ')}, or a module (.ts, .js, .mjs) whose default export is a function of them.`,
    placeholder: 'WHAT',
  },
} as const;

/** @throws TroupeError `Usage` when it is neither. */
export async function readExpectation(context: CommandContext): Promise<GivenExpectation | undefined> {
  const given = context.text('expect');
  if (given === undefined) return undefined;
  if (/\.(?:ts|mts|js|mjs)$/.test(given)) {
    const file = resolve(context.io.cwd, given);
    if (!existsSync(file)) throw usageError(`--expect ${given}: there is no such file.`);
    return { check: await load(pathToFileURL(file).href, given), source: { file } };
  }
  const code = `export default ${functionOf(given)};`;
  return {
    check: await load(`data:text/javascript,${encodeURIComponent(code)}`, given),
    source: { expression: functionOf(given) },
  };
}

/** `context.n >= 0` as `({ context }) => (context.n >= 0)`. */
function functionOf(expression: string): string {
  const used = NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(expression));
  return `({ ${used.join(', ')} }) => (${expression})`;
}

async function load(url: string, given: string): Promise<Expectation> {
  try {
    const { default: check } = (await import(url)) as { readonly default?: unknown };
    if (typeof check === 'function') return check as Expectation;
  } catch (cause) {
    throw usageError(`--expect ${given} can't be used: ${(cause as Error).message}.`);
  }
  throw usageError(`--expect ${given} has no function as its default export.`);
}
