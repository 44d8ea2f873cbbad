/** What `npm run bench` is told. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly json: boolean;
  /** Longer rounds, more of them, and the large sizes. */
  readonly full: boolean;
  /** Names to run; empty for all. */
  readonly only: readonly string[];
}

export const USAGE = `npm run bench -- [--json] [--full] [--only NAME ...]

  --json   one JSON object per line on stdout
  --full   longer rounds and large sizes: about 15 minutes instead of 3
  --only   run this benchmark only; may be repeated`;

/** Throws on an argument that isn't one. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean' },
      full: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  return { json: values.json === true, full: values.full === true, only: values.only ?? [] };
}
