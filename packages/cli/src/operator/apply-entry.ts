/** Operators change actors as everybody does: by an entry in the journal. */
import { hostname, userInfo } from 'node:os';
import type { OpenPorts } from '@troupe/service-worker';
import { type ActorAddress, formatAddress, type InternalBody, isTroupeError, TroupeError } from '@troupe/wire';
import type { CommandContext } from '../context.ts';

/** What became of an operator's entry. */
export interface AppliedEntry {
  readonly actor: string;
  readonly seq: number;
  /** False: it is stored, and takes effect once a worker runs. */
  readonly applied: boolean;
}

const WAIT_MS = 3_000;

/** Who does it, for the record in the journal. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return hostname();
  }
}

/**
 * Stores an entry and waits until the actor has applied it.
 *
 * @param onStored called once it is stored, before it is applied.
 * @throws TroupeError what the actor refused it with.
 */
export async function applyEntry(
  context: CommandContext,
  open: OpenPorts,
  address: ActorAddress,
  body: InternalBody,
  onStored?: () => Promise<unknown>,
): Promise<AppliedEntry> {
  const { seq } = await open.ports.journal.append(address, body);
  await onStored?.();
  const applied = await isApplied(context, address, seq);
  const refused = applied ? await open.ports.deadLetters.get(seq) : undefined;
  if (refused !== undefined)
    throw new TroupeError(refused.code, refused.message, {
      actor: formatAddress(address),
      details: { deadLetter: seq },
    });
  return { actor: formatAddress(address), seq, applied };
}

/** `done as entry 17`, or what is still missing. */
export function describeApplied(what: string, { actor, seq, applied }: AppliedEntry): string {
  return applied
    ? `${actor} ${what} by entry ${seq}`
    : `entry ${seq} is stored; ${actor} is ${what} once a worker runs`;
}

async function isApplied(context: CommandContext, address: ActorAddress, seq: number): Promise<boolean> {
  const troupe = await context.client();
  try {
    await troupe.actor(address.type, address.key).snapshot({ minSeq: seq, timeoutMs: WAIT_MS });
    return true;
  } catch (error) {
    if (isTroupeError(error, 'NoOwner') || isTroupeError(error, 'Timeout') || isTroupeError(error, 'UnknownActorType'))
      return false;
    if (isTroupeError(error, 'NotFound')) return true;
    throw error;
  }
}
