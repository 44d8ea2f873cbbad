/** What is sent: from the argument, from stdin (`-`) or from `--file`. JSON if it parses as JSON, else text. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { decodePayload, encodePayload } from '@troupe/wire';
import type { ArgSpec, OptionSpec } from './command.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './usage-error.ts';

export const INPUT_ARG: ArgSpec = {
  name: 'INPUT',
  meaning: 'JSON if it parses as JSON, else text; - reads it from stdin.',
  optional: true,
};

export const INPUT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  file: { meaning: 'Read the input from a file.', placeholder: 'FILE', short: 'f' },
};

/**
 * The text of the input.
 *
 * @param at which argument it is.
 * @throws TroupeError `Usage` when it is missing, given twice, or the file can't be read.
 */
export async function readText(context: CommandContext, at: number, what = 'INPUT'): Promise<string> {
  const given = context.args[at];
  const file = context.text('file');
  if (given !== undefined && file !== undefined)
    throw usageError(`${what} is given twice: as argument and with --file. Leave one out.`);
  if (file !== undefined) {
    return readFile(resolve(context.io.cwd, file), 'utf8').catch((cause: Error) => {
      throw usageError(`--file ${file} can't be read: ${cause.message}.`);
    });
  }
  if (given === undefined)
    throw usageError(`${what} is missing: give it as argument, with --file FILE, or - to read stdin.`);
  return given === '-' ? context.io.readStdin() : given;
}

/** The input as a value, read as any worker would read it. @throws TroupeError as `readText`; `InvalidPayload` */
export async function readInput(context: CommandContext, at: number): Promise<unknown> {
  const text = await readText(context, at);
  return decodePayload(encodePayload(text, 'text/plain')).value;
}

/** An object with a string `type`: JSON, or a type with the other fields as JSON behind it. @throws TroupeError `Usage` */
export async function readEvent(context: CommandContext, at: number): Promise<{ readonly type: string }> {
  const text = await readText(context, at, 'EVENT');
  const fields = context.args[at + 1];
  const event = text.trimStart().startsWith('{') ? readJsonObject(text, 'EVENT') : { type: text.trim() };
  const whole = fields === undefined ? event : { ...readJsonObject(fields, 'FIELDS'), ...event };
  const { type } = whole as { type?: unknown };
  if (typeof type === 'string' && type !== '') return { ...whole, type };
  throw usageError('EVENT has no string "type": write {"type":"approve"}, or just approve.');
}

/** A JSON object. @throws TroupeError `Usage` naming `what` it was to be. */
export function readJsonObject(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw usageError(`${what} is not JSON: ${(cause as Error).message}.`);
  }
  throw usageError(`${what} has to be a JSON object.`);
}
