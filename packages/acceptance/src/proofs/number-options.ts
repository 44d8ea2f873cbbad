/** The options of the proofs: numbers, one way of reading them for all. */
import { parseArgs } from 'node:util';

/**
 * Reads `--name N` for each name in `defaults`.
 *
 * @returns undefined for an option that isn't known or isn't a whole number from 0 on.
 * @example readNumbers(['--kills', '3'], { kills: 20, workers: 2 }); // { kills: 3, workers: 2 }
 */
export function readNumbers<Name extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> | undefined {
  const names = Object.keys(defaults) as Name[];
  try {
    const { values } = parseArgs({
      args: [...args],
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
    });
    const given = values as Partial<Record<Name, string>>;
    const numbers = names.map((name) => [name, Number(given[name] ?? defaults[name])] as const);
    return numbers.every(([, value]) => Number.isSafeInteger(value) && value >= 0)
      ? (Object.fromEntries(numbers) as Record<Name, number>)
      : undefined;
  } catch {
    return undefined;
  }
}
