/**
 * Questions through the path that clients take: the bus, any worker, the owner with a fresh lease and at the head of its
 * partition. By default it is a query for actors that never were, which changes nothing; an actor named by --ask is asked
 * tasks, through the journal.
 */
import { isTroupeError, parseAddress } from '@troupe/wire';
import { showLength } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { ok, problem, unknown, warning } from '../finding.ts';
import type { Look } from '../look.ts';

const QUESTIONS = 3;
const TIMEOUT_MS = 4_000;

export const response: Check = {
  name: 'response',
  looksAt: 'how long three probe questions take',
  async run(look) {
    const asked = look.context.text('ask');
    const type = Object.keys((await look.workers())[0]?.lease.types ?? {}).sort()[0];
    if (asked === undefined && type === undefined)
      return unknown('response', 'no worker hosts a type that could be asked.', 'troupe workers');
    const took: number[] = [];
    for (let n = 1; n <= QUESTIONS; n++) {
      const startedAt = performance.now();
      try {
        await (asked === undefined ? query(look, type!, n) : ask(look, asked));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return problem(
          'response',
          `question ${n} of ${QUESTIONS} got no answer after ${showLength(performance.now() - startedAt)}: ${why}`,
          'troupe partitions',
        );
      }
      took.push(performance.now() - startedAt);
    }
    return judge(
      took.sort((a, b) => a - b),
      look.limits.responseMaxMs,
      asked === undefined ? 'queries' : 'tasks',
    );
  },
};

function judge(took: readonly number[], maxMs: number, what: string): ReturnType<typeof ok> {
  const at = (share: number): string => `${took[Math.ceil(share * took.length) - 1]!.toFixed(1)} ms`;
  const text = `${took.length} ${what}: p50 ${at(0.5)}, p95 ${at(0.95)}, slowest ${at(1)}`;
  if (took.at(-1)! <= maxMs) return ok('response', text);
  return warning(
    'response',
    `${text}, limit ${showLength(maxMs)}: a worker or the server is busy, or far away.`,
    'troupe workers',
  );
}

async function query({ context }: Look, type: string, n: number): Promise<void> {
  const troupe = await context.client();
  try {
    await troupe.actor(type, `troupe-doctor-${n}`).query('state', {}, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    // The answer: its owner says that there is none.
    if (!isTroupeError(error, 'NotFound')) throw error;
  }
}

async function ask({ context }: Look, address: string): Promise<void> {
  const { type, key } = parseAddress(address);
  const troupe = await context.client();
  const text = context.text('ask-input') ?? 'ping';
  await troupe.actor(type, key).ask(inputOf(text), { deadlineMs: TIMEOUT_MS, raw: false });
}

/** As on the wire: JSON if it parses as JSON, else text. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
