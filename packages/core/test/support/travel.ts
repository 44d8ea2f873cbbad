/** A random machine's way through operations, as data: the same in any process. */
import { toBytes } from './driving.ts';
import { type Operation, Pilot } from './pilot.ts';
import { build, type MachineSpec } from './random-machine.ts';

/** Where it started, and the bytes of every state after it; the message of the failure that ended it, if one did. */
export interface Journey {
  readonly start: Uint8Array | undefined;
  readonly steps: readonly (Uint8Array | string)[];
}

/** From the machine's start, or from the bytes of a state. */
export function travel(spec: MachineSpec, operations: readonly Operation[], from?: Uint8Array): Journey {
  const steps: (Uint8Array | string)[] = [];
  let start: Uint8Array | undefined;
  try {
    const pilot = new Pilot(build(spec));
    const { driven } = pilot;
    if (from !== undefined) driven.restore(from);
    start = bytes(pilot);
    for (const operation of operations) {
      const move = pilot.plan(operation);
      if (move !== undefined) pilot.make(move);
      steps.push(bytes(pilot));
    }
  } catch (error) {
    steps.push(String(error));
  }
  return { start, steps };
}

function bytes({ driven }: Pilot): Uint8Array {
  return new Uint8Array(toBytes(driven.driver.persist(driven.state)));
}
