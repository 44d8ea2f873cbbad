/** The `troupe` command as a process: signals, pipes, exit code. */
import { EXIT } from './exit-codes.ts';
import { processIo } from './io.ts';
import { COMMANDS } from './registry.ts';
import { runCli } from './run-cli.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
});
process.on('SIGTERM', () => interrupt.abort());
// A reader that closes the pipe (`troupe ls | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

// `troupe --version` is what people try first.
const words = process.argv.slice(2);
process.exitCode = await runCli(
  words[0] === '--version' || words[0] === '-v' ? ['version'] : words,
  processIo(interrupt.signal),
  COMMANDS,
);
