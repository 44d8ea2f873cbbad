/** `troupe dev --docs DIR`: the docs desk of `examples/`, over a folder of one's own. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TroupeError } from '@troupe/wire';
import { usageError } from '../usage-error.ts';
import type { Preset } from './preset.ts';

/** Above every package, so it is reached by its place in the checkout and loaded only when it is asked for. */
const EXAMPLE = new URL('../../../../examples/docs-desk/', import.meta.url);

/** As much of the example as is needed here. */
interface PublishFolder {
  publishFolder(options: {
    readonly folder: string;
    readonly url: string;
    readonly prefix: string;
    readonly stderr: NodeJS.WriteStream;
    readonly signal: AbortSignal;
  }): Promise<void>;
}

export const docsPreset: Preset = {
  flag: 'docs',
  option: {
    placeholder: 'DIR',
    meaning: 'Run the docs desk over a folder of Markdown in place of a project: ask desk/<you> anything about it.',
  },
  async plan({ value, cwd }) {
    const folder = resolve(cwd, value);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw usageError(`--docs is ${JSON.stringify(value)}: there is no folder ${folder}.`);
    const configFile = fileURLToPath(new URL('troupe.config.ts', EXAMPLE));
    if (!existsSync(configFile))
      throw new TroupeError(
        'ConfigInvalid',
        'The docs desk is an example, and --docs works only in a checkout of Troupe.',
      );
    return {
      configFile,
      suggestion: { address: 'desk/john', input: 'How do I get started?' },
      serve: async ({ url, prefix }) => {
        const { publishFolder } = (await import(new URL('src/publish-folder.ts', EXAMPLE).href)) as PublishFolder;
        const stop = new AbortController();
        await publishFolder({ folder, url, prefix, stderr: process.stderr, signal: stop.signal });
        return { close: async () => stop.abort() };
      },
    };
  },
};
