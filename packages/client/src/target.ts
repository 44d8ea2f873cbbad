/** An actor as the client sees it: its address and the subjects that go with it, made once. */
import { type ActorAddress, type Subjects, validAddress } from '@troupe/wire';

export interface Target {
  readonly address: ActorAddress;
  readonly task: string;
  readonly signal: string;
  readonly query: string;
  readonly out: string;
}

/** Throws `InvalidType` or `InvalidKey`. */
export function targetOf(subjects: Subjects, address: ActorAddress): Target {
  return {
    address: validAddress(address),
    task: subjects.task(address),
    signal: subjects.signal(address),
    query: subjects.query(address),
    out: subjects.out(address),
  };
}
