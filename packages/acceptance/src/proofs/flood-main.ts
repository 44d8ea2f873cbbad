/** `npm run proof -- flood`: one key is flooded, others of its partition are asked meanwhile. */
import { proveFlood } from './flood-proof.ts';
import { readNumbers } from './number-options.ts';

const FULL = { rate: 5_000, seconds: 20, others: 10 };

const USAGE = `npm run proof -- flood [options]

  --rate N      tasks per second at one key, default ${FULL.rate}
  --seconds N   default ${FULL.seconds}
  --others N    other keys of its partition, asked every 100 ms, default ${FULL.others}
`;

/** Prints what callers waited without and with the flood. @returns 0 when all holds, 1 when something doesn't, 2 for a wrong option. */
export async function runFloodProof(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { floodRate, flooded, refused, quietMs, floodedMs, behindMs, violations } = await proveFlood(options);
  const lines = [
    `${flooded} tasks at one key, ${Math.round(floodRate)} per second; ${refused} refused or not sent`,
    `others waited p50 / p99 / longest, ms: ${waits(quietMs)} without the flood, ${waits(floodedMs)} with it`,
    `the flood was worked off ${behindMs.toFixed(0)} ms after its end, ${violations.length} violations`,
    ...violations.map((violation) => `violated: ${violation}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return violations.length === 0 ? 0 : 1;
}

function waits(sortedMs: readonly number[]): string {
  const at = (share: number): string => (sortedMs[Math.ceil(sortedMs.length * share) - 1] ?? 0).toFixed(1);
  return `${at(0.5)} / ${at(0.99)} / ${at(1)}`;
}

function readOptions(args: readonly string[]): Parameters<typeof proveFlood>[0] | undefined {
  const options = readNumbers(args, FULL);
  return options !== undefined && Object.values(options).every((value) => value > 0) ? options : undefined;
}
