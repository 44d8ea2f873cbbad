/** The structure of a machine as XState's own configuration again, for tools that draw from that: names, no code. */
import type { MachineBody, StateStructure, TransitionStructure } from './structure.ts';

/** Which XState the configuration is for: 5 says `guard` and `reenter`, 4 says `cond` and `internal`. */
export type MachineDialect = 4 | 5;

type Config = Record<string, unknown>;

/**
 * A configuration that `createMachine` takes and that looks like the machine it came from. Actions, guards and actors are
 * names only; targets are ids.
 *
 * @example createMachine(machineConfig(structure)).id
 */
export function machineConfig(machine: MachineBody, dialect: MachineDialect = 5): Record<string, unknown> {
  return stateConfig(machine.root, dialect);
}

function stateConfig(state: StateStructure, dialect: MachineDialect): Config {
  const { kind, initial, tags, description, meta, entry, exit } = state;
  const own = state.states.find(({ id }) => id === initial);
  const config: Config = { id: state.id };
  if (kind === 'parallel' || kind === 'final' || kind === 'history') config.type = kind;
  if (state.history !== undefined) config.history = state.history;
  if (kind === 'compound' && own !== undefined) config.initial = own.key;
  if (kind === 'history' && initial !== undefined) config.target = `#${initial}`;
  if (tags.length > 0) config.tags = tags;
  if (description !== undefined) config.description = description;
  if (meta !== undefined) config.meta = meta;
  if (entry.length > 0) config.entry = entry;
  if (exit.length > 0) config.exit = exit;
  addTransitions(config, state, dialect);
  if (state.states.length > 0)
    config.states = Object.fromEntries(state.states.map((inner) => [inner.key, stateConfig(inner, dialect)]));
  return config;
}

function addTransitions(config: Config, state: StateStructure, dialect: MachineDialect): void {
  const invoke = state.invokes.map(({ id, src }): Config => ({ id, src }));
  if (invoke.length > 0) config.invoke = invoke;
  for (const transition of state.transitions) {
    const { event, kind, delay } = transition;
    const written = transitionConfig(transition, dialect);
    if (kind === 'always') push(config, 'always', written);
    else if (kind === 'after') push(section(config, 'after'), delay ?? '0', written);
    else if (event === `xstate.done.state.${state.id}`) push(config, 'onDone', written);
    else {
      const [field, id] = invokeField(event);
      const invoked = invoke.find((one) => one.id === id);
      if (field !== undefined && invoked !== undefined) push(invoked, field, written);
      else push(section(config, 'on'), event, written);
    }
  }
}

const INVOKE_EVENTS = [
  ['xstate.done.actor.', 'onDone'],
  ['xstate.error.actor.', 'onError'],
  ['xstate.snapshot.', 'onSnapshot'],
] as const;

function invokeField(event: string): readonly [field: string | undefined, id: string] {
  for (const [prefix, field] of INVOKE_EVENTS) if (event.startsWith(prefix)) return [field, event.slice(prefix.length)];
  return [undefined, ''];
}

function transitionConfig(transition: TransitionStructure, dialect: MachineDialect): Config {
  const { targets, guard, actions, reenter, description } = transition;
  const config: Config = {};
  if (targets.length > 0) config.target = targets.map((id) => `#${id}`);
  if (guard !== undefined) config[dialect === 5 ? 'guard' : 'cond'] = guard;
  if (actions.length > 0) config.actions = actions;
  if (description !== undefined) config.description = description;
  if (dialect === 5 && reenter) config.reenter = true;
  if (dialect === 4) config.internal = !reenter;
  return config;
}

function section(config: Config, name: string): Config {
  config[name] ??= {};
  return config[name] as Config;
}

function push(config: Config, name: string, value: unknown): void {
  config[name] ??= [];
  (config[name] as unknown[]).push(value);
}
