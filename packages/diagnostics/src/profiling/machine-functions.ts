/**
 * The functions that a machine is made of, with names that people know: actions, guards, delays, what it invokes. Found by walking
 * its implementations and its config, so that nothing is wrapped and a profile shows the code that always runs.
 */

/** A machine as much as this needs of it. */
export interface WalkedMachine {
  readonly config: unknown;
  readonly implementations: unknown;
}

export interface NamedFunction {
  /** For example `action addItem`, `guard isFull`, `waiting.on.approve.actions.0`. */
  readonly name: string;
  readonly call: (...args: never) => unknown;
}

const KINDS: Readonly<Record<string, string>> = {
  actions: 'action',
  guards: 'guard',
  delays: 'delay',
  actors: 'invoked',
};
/** Functions of one machine. */
const FUNCTIONS_MAX = 2_000;
const DEPTH_MAX = 24;
/** The engine's own parts of an action or a logic: shared by all machines. */
const SHARED = new Set([
  'resolve',
  'execute',
  'transition',
  'getInitialSnapshot',
  'getPersistedSnapshot',
  'restoreSnapshot',
  'start',
  'check',
]);

/** Each function once, by the first name that is found for it: implementations before the config. */
export function machineFunctions({ config, implementations }: WalkedMachine): readonly NamedFunction[] {
  const found: NamedFunction[] = [];
  const seen = new Set<unknown>();
  const walk = (value: unknown, name: string, depth: number): void => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
    if (seen.has(value) || depth > DEPTH_MAX || found.length >= FUNCTIONS_MAX) return;
    seen.add(value);
    if (typeof value === 'function') found.push({ name, call: value as NamedFunction['call'] });
    for (const key of Object.keys(value)) {
      if (SHARED.has(key) || key === 'parent' || key === 'machine') continue;
      const part = PARTS.has(key) ? name : name === '' ? key : `${name}.${key}`;
      walk((value as Readonly<Record<string, unknown>>)[key], part, depth + 1);
    }
  };
  for (const [kind, word] of Object.entries(KINDS)) {
    const named = (implementations as Readonly<Record<string, unknown>> | undefined)?.[kind] ?? {};
    for (const [name, one] of Object.entries(named)) walk(one, `${word} ${name}`, 0);
  }
  walk(config, '', 0);
  return found;
}

/** Where the engine keeps what was given to `assign`, `fromPromise` and others: no part of a name. */
const PARTS = new Set(['assignment', 'config', 'collect', 'states', 'event', 'eventOrExpr', 'params']);
