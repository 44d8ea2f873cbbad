/** Running the command inside of a test, with everything around it made up. */
import { COMMANDS, type Io, runCli } from '@troupe/cli';

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliWorld {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
}

export async function troupe(words: readonly string[], world: CliWorld = {}): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  const isTTY = world.terminal ?? false;
  const io: Io = {
    cwd: world.cwd ?? '/',
    env: world.env ?? {},
    stdout: { write: (text) => (stdout += text), isTTY },
    stderr: { write: (text) => (stderr += text), isTTY },
    readStdin: async () => world.stdin ?? '',
    signal: new AbortController().signal,
  };
  const code = await runCli(words, io, COMMANDS);
  return { code, stdout, stderr };
}
