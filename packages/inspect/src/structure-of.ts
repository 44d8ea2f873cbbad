/** What a machine looks like, as some worker has it. */
import type { MachineStructure, Subjects } from '@troupe/wire';

export interface RequestBus {
  request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly payload: Uint8Array }>;
}

/** How a feed gets at the structure of a type; undefined when nobody has it. */
export type StructureOf = (type: string) => Promise<MachineStructure | undefined>;

/** Structures that are kept. */
const STRUCTURES_MAX = 256;
/** For so long: a deploy may change it, ms. */
const FRESH_MS = 30_000;
const TIMEOUT_MS = 2_000;

/**
 * Asks the workers, and remembers the answer for half a minute.
 *
 * @example const structure = await requestStructures({ bus, subjects })('order');
 */
export function requestStructures({
  bus,
  subjects,
}: {
  readonly bus: RequestBus;
  readonly subjects: Subjects;
}): StructureOf {
  const known = new Map<string, { readonly atMs: number; readonly structure: Promise<MachineStructure | undefined> }>();
  return (type) => {
    const found = known.get(type);
    if (found !== undefined && performance.now() - found.atMs < FRESH_MS) return found.structure;
    const structure = ask(bus, subjects, type);
    if (known.size >= STRUCTURES_MAX) known.clear();
    known.set(type, { atMs: performance.now(), structure });
    void structure.then((answer) => {
      if (answer === undefined) known.delete(type);
    });
    return structure;
  };
}

async function ask(bus: RequestBus, subjects: Subjects, type: string): Promise<MachineStructure | undefined> {
  try {
    const payload = new TextEncoder().encode(JSON.stringify({ type }));
    const answer = await bus.request(subjects.control('structure'), payload, { timeoutMs: TIMEOUT_MS });
    return JSON.parse(new TextDecoder().decode(answer.payload)) as MachineStructure;
  } catch {
    return undefined;
  }
}
