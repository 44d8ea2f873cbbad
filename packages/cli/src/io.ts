/** The process around a command, handed in so that tests can be it. */

/** Somewhere to write. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** All of stdin, as text. */
  readStdin(): Promise<string>;
  /** Keys as they are pressed, unechoed, until closed; absent where stdin is no terminal. Ctrl-C is a key then. */
  readKeys?(onKey: (key: string) => void): { close(): void };
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The real one. */
export function processIo(signal: AbortSignal): Io {
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    signal,
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    ...(process.stdin.isTTY ? { readKeys } : {}),
  };
}

function readKeys(onKey: (key: string) => void): { close(): void } {
  const { stdin } = process;
  const onData = (text: string): void => onKey(text);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', onData).resume();
  return {
    close: () => {
      stdin.off('data', onData).pause();
      stdin.setRawMode(false);
    },
  };
}
