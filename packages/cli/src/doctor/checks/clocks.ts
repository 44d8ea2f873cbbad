/** Deadlines and timers are instants: clocks that differ make them early or late. */

import { readClock } from '../../operator/workers.ts';
import { showLength } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warning } from '../finding.ts';
import type { Look } from '../look.ts';
import { someOf } from '../names.ts';

interface Reading {
  readonly who: string;
  /** At least so far from ours, ms: what the answer took is taken off. */
  readonly apartMs: number;
}

export const clocks: Check = {
  name: 'clocks',
  looksAt: 'that the clocks of this machine, the server and the workers agree',
  async run(look) {
    const [server, workers] = await Promise.all([readServer(look), workersOf(look)]);
    const found = [server, ...workers.flatMap((one) => one ?? [])];
    const { clockMaxMs } = look.limits;
    const off = found.filter(({ apartMs }) => Math.abs(apartMs) > clockMaxMs);
    if (off.length === 0)
      return ok('clocks', `within ${showLength(clockMaxMs)}: ${found.map(({ who }) => who).join(', ')}`);
    return report(off);
  },
};

function report(off: readonly Reading[]): Finding {
  const told = off.map(
    ({ who, apartMs }) => `${who} is ${showLength(Math.abs(apartMs))} ${apartMs > 0 ? 'ahead' : 'behind'}`,
  );
  return warning(
    'clocks',
    `against this machine ${someOf(told)}: timers and deadlines come so much early or late. Set the clock there, and keep it by NTP.`,
    'timedatectl status',
  );
}

async function readServer({ open }: Look): Promise<Reading> {
  const sentAt = Date.now();
  const { at } = await open.ports.journal.info();
  return { who: 'server', apartMs: apartOf(at, sentAt, Date.now()) };
}

async function workersOf(look: Look): Promise<(Reading | undefined)[]> {
  const workers = await look.answering();
  return Promise.all(
    workers.map(async ({ lease }) => {
      const sentAt = Date.now();
      const at = await readClock(look.open, lease.id);
      return at === undefined ? undefined : { who: lease.id, apartMs: apartOf(at, sentAt, Date.now()) };
    }),
  );
}

/** The least difference that explains what was seen: its clock was read somewhere between sending and receiving. */
function apartOf(at: number, sentAt: number, receivedAt: number): number {
  if (at < sentAt) return at - sentAt;
  return Math.max(0, at - receivedAt);
}
