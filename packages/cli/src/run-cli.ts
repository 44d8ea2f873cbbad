/** The command, from words to exit code. */
import { findCommand, parseCommand } from './arguments.ts';
import type { Command } from './command.ts';
import { CommandContext } from './context.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { helpOfAll, helpOfCommand, helpOfGroup } from './help.ts';
import type { Io } from './io.ts';
import { Output } from './output/output.ts';
import { fromPortFailure } from './port-failure.ts';

/**
 * Runs what was typed. Never throws.
 *
 * @param words without node and script.
 * @returns the exit code, see `EXIT`.
 */
export async function runCli(words: readonly string[], io: Io, commands: readonly Command[]): Promise<number> {
  try {
    const found = findCommand(words, commands);
    if (found.kind === 'command') return await runCommand(found.command, found.rest, io);
    return showHelp(found, words, io, commands);
  } catch (error) {
    new Output(io, words.includes('--json')).error(error);
    return exitCodeOf(error);
  }
}

async function runCommand(command: Command, words: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(command, words);
  if (parsed.flags.help !== undefined) {
    io.stdout.write(helpOfCommand(command));
    return EXIT.ok;
  }
  const context = new CommandContext(io, parsed);
  try {
    return (await command.run(context)) ?? EXIT.ok;
  } catch (thrown) {
    if (io.signal.aborted) return EXIT.interrupted;
    const error = fromPortFailure(thrown);
    context.out.error(error);
    return exitCodeOf(error);
  } finally {
    await context.close();
  }
}

/** Help that was asked for goes to stdout; help in place of an answer to stderr. */
function showHelp(
  found: { kind: 'group'; name: string; commands: readonly Command[] } | { kind: 'none' },
  words: readonly string[],
  io: Io,
  commands: readonly Command[],
): number {
  const asked = words.includes('--help') || words.includes('-h');
  const text = found.kind === 'group' ? helpOfGroup(found.name, found.commands) : helpOfAll(commands);
  (asked ? io.stdout : io.stderr).write(text);
  return asked ? EXIT.ok : EXIT.usage;
}
