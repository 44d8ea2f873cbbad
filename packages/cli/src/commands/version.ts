import { readFileSync } from 'node:fs';
import type { Command } from '../command.ts';

export const version: Command = {
  name: 'version',
  summary: 'Show the versions of troupe and Node.',
  args: [],
  options: {},
  reach: 'none',
  examples: [{ line: 'troupe version --json', meaning: '{"troupe":"...","node":"..."}' }],
  async run(context) {
    const troupe = ownVersion();
    const node = process.versions.node;
    context.out.answer({ troupe, node }, `troupe ${troupe} (node ${node})`);
    return undefined;
  },
};

/** Of this package; all packages share one. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
