/** What a command is: one small file under `commands/`, listed in `registry.ts`. Help, parsing and docs come from it. */
import type { CommandContext } from './context.ts';

/** A positional argument. */
export interface ArgSpec {
  /** As help writes it, for example `ADDRESS`. */
  readonly name: string;
  readonly meaning: string;
  readonly optional?: boolean;
  /** Takes all that follow; only for the last one. */
  readonly rest?: boolean;
}

/** An option of one command. */
export interface OptionSpec {
  readonly meaning: string;
  /** What help calls the value; absent: a switch. */
  readonly placeholder?: string;
  readonly short?: string;
  /** Said in help; the command itself applies it. */
  readonly default?: string;
}

export interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** Which of the settings' flags a command takes: those needed to connect as a client, to read as an operator, and so on. */
export type Reach = 'none' | 'client' | 'operator' | 'worker' | 'gateway' | 'dev';

export interface Command {
  /** One or two words, as typed. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More, for the command's own help. */
  readonly description?: string;
  readonly args: readonly ArgSpec[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly reach: Reach;
  readonly examples: readonly Example[];
  /** Where they differ from the common ones. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** @returns the exit code; default 0. */
  run(context: CommandContext): Promise<number | undefined>;
}
