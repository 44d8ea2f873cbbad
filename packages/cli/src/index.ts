/** The `troupe` command, for those who add to it or test it. */

export type { ParsedArguments } from './arguments.ts';
export type { ArgSpec, Command, Example, OptionSpec, Reach } from './command.ts';
export { CommandContext, type Project } from './context.ts';
export { PRESETS, type Preset, type PresetInput, type PresetPlan } from './dev/preset.ts';
export { EXIT, EXIT_MEANINGS } from './exit-codes.ts';
export type { Io, Sink } from './io.ts';
export type { Output } from './output/output.ts';
export type { Colour, Style } from './output/style.ts';
export { COMMANDS } from './registry.ts';
export { runCli } from './run-cli.ts';
