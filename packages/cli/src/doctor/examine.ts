/**
 * Makes the checks.
 *
 * Invariants
 * 1. Whatever a check throws, and a check that does not end, is a finding of its own, `unknown`; the others are still made.
 * 2. Only without a server, or with one that is too old, nothing else is made.
 */
import { isTroupeError } from '@troupe/wire';
import type { CommandContext } from '../context.ts';
import { fromPortFailure } from '../port-failure.ts';
import { usageError } from '../usage-error.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks.ts';
import { type Finding, problem, unknown } from './finding.ts';
import { readLimits } from './limits.ts';
import { Look } from './look.ts';

/** How long one check may take, ms. */
const CHECK_MS = 20_000;

/** @throws TroupeError `Usage` for limits that are none, and checks that there are not. */
export async function examine(context: CommandContext): Promise<Finding[]> {
  const checks = chosen(context);
  const project = await context.project();
  const limits = readLimits(context, project.loaded?.config.doctor);
  const open = await context.operator().catch((error: unknown) => fromPortFailure(error));
  if (open instanceof Error) {
    const command = isTroupeError(open, 'PermissionDenied') ? 'troupe doctor --creds FILE' : 'troupe config';
    return [problem('server', open.message, command)];
  }
  const look = new Look(context, project, open as Look['open'], limits);
  const findings: Finding[] = [];
  for (const check of checks) {
    findings.push(...(await make(check, look)));
    if (check.name === 'server' && findings.some(({ status }) => status === 'problem')) break;
  }
  return findings;
}

function chosen(context: CommandContext): readonly Check[] {
  const skipped = (context.text('skip') ?? '').split(',').filter((name) => name !== '');
  const stranger = skipped.find((name) => !CHECKS.some((check) => check.name === name));
  if (stranger === undefined) return CHECKS.filter(({ name }) => !skipped.includes(name));
  const names = CHECKS.map(({ name }) => name).join(', ');
  throw usageError(`--skip names ${JSON.stringify(stranger)}, which is no check. There are: ${names}.`);
}

async function make(check: Check, look: Look): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const text = `it was not done after ${CHECK_MS / 1_000} s.`;
    timer = setTimeout(() => resolve(unknown(check.name, text, `troupe doctor --skip ${check.name}`)), CHECK_MS);
  });
  try {
    return [await Promise.race([check.run(look), late])].flat();
  } catch (thrown) {
    return [unmade(check, fromPortFailure(thrown))];
  } finally {
    clearTimeout(timer);
  }
}

function unmade({ name }: Check, error: unknown): Finding {
  const why = error instanceof Error ? error.message : String(error);
  if (isTroupeError(error, 'NotConnected')) return problem(name, why, 'nats server report jetstream');
  const denied = isTroupeError(error, 'PermissionDenied');
  return unknown(
    name,
    denied ? `these credentials may not look: ${why}` : `it could not be made: ${why}`,
    denied ? 'troupe doctor --creds FILE' : `troupe doctor --skip ${name}`,
  );
}
