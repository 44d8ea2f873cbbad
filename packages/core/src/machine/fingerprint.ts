/** What can be told of a machine's definition without running it: its hash, and whether it replies. */
import type { AnyStateMachine } from 'xstate';
import { replyKind } from './reply.ts';
import { dissect } from './walk.ts';

/**
 * Hash of a machine's configuration and of the source text of its functions, children's machines included; 16 hex
 * digits. The same text gives the same hash in any process. What functions close over is not seen.
 */
export function hashMachine(machine: AnyStateMachine): string {
  const digest = { low: 0x811c9dc5, high: 0xcbf29ce4 };
  feed(machine, '', digest, new Map());
  return hex(digest.high) + hex(digest.low);
}

/**
 * Whether a `reply` or `fail` action occurs in a machine or in the machines of its children. Named and inline actions
 * are found as such. What an `enqueueActions` enqueues can't be known, so its source text is searched for a call of
 * `reply` or `fail`, whatever it is called on. Code that hides the call, in a helper or by minifying, has to say `turn`.
 */
export function machineReplies(machine: AnyStateMachine): boolean {
  return search(machine, new Set());
}

interface Digest {
  low: number;
  high: number;
}

function feed(value: unknown, name: string, digest: Digest, seen: Map<unknown, number>): void {
  const earlier = seen.get(value);
  if (earlier !== undefined) {
    absorb(`${name}=^${earlier};`, digest);
    return;
  }
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') seen.set(value, seen.size);
  const { label, parts } = dissect(value);
  absorb(`${name}=${label}{`, digest);
  for (const [part, inner] of parts) feed(inner, part, digest, seen);
  absorb('}', digest);
}

/** FNV-1a, twice with different primes. */
function absorb(text: string, digest: Digest): void {
  let { low, high } = digest;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ (low >>> 24), 0x01000197);
  }
  digest.low = low;
  digest.high = high;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

const CALLS_REPLY = /\b(?:reply|fail|createReplyAction)\s*\)?\s*\(/;

function search(value: unknown, seen: Set<unknown>): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  if (seen.has(value)) return false;
  seen.add(value);
  if (replyKind(value) !== undefined) return true;
  const { collect } = value as { collect?: unknown };
  if (typeof collect === 'function' && CALLS_REPLY.test(Function.prototype.toString.call(collect))) return true;
  return dissect(value).parts.some(([, inner]) => search(inner, seen));
}
