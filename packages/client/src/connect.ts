/** Connecting, with a deadline and an error that says what to do. */
import { TroupeError } from '@troupe/wire';
import { pause, realClock } from './clock.ts';
import { dialNats, RECONNECT_WAIT_MS } from './nats-wire.ts';
import { type ConnectOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { createTroupe, type Troupe } from './troupe.ts';
import type { Wire } from './wire.ts';

/** Longest single attempt, ms. */
const ATTEMPT_MS = 5_000;
/** Errors of the library that another attempt doesn't mend. */
const AUTH_CODES = [
  'AUTHORIZATION_VIOLATION',
  'AUTHENTICATION_EXPIRED',
  'ACCOUNT_EXPIRED',
  'BAD_AUTHENTICATION',
  'BAD_CREDS',
];

/**
 * Connects to NATS. The connection lasts until it is closed: it comes back by itself, however long the server was away,
 * and what was asked meanwhile is sent then or fails at its own deadline.
 *
 * The first connection is tried until `connectTimeoutMs` (10 s).
 *
 * @throws TroupeError `ConfigInvalid` for unusable options, `NotConnected` when no server answered in time,
 * `PermissionDenied` when it refused the credentials or the inbox.
 * @example
 * await using troupe = await connect();
 * const answer = await troupe.actor('support', 'john').ask('My name is John');
 */
export async function connect(options: ConnectOptions = {}): Promise<Troupe> {
  const resolved = resolveOptions(options);
  const wire = await dial(resolved);
  const troupe = createTroupe(wire, realClock, resolved);
  try {
    // A refused inbox shows before the flush is through, and every answer would be lost on it.
    await wire.flush();
    troupe.assertOpen();
  } catch (error) {
    await wire.close();
    throw error instanceof TroupeError ? error : notConnected(resolved, error);
  }
  return troupe;
}

async function dial(options: ResolvedOptions): Promise<Wire> {
  const endAt = realClock.monotonic() + options.connectTimeoutMs;
  for (;;) {
    const leftMs = endAt - realClock.monotonic();
    try {
      return await dialNats(options, Math.max(1, Math.min(ATTEMPT_MS, leftMs)));
    } catch (error) {
      if (AUTH_CODES.includes((error as { code?: string }).code ?? '')) throw refused(options, error);
      const waitMs = RECONNECT_WAIT_MS * (1 + Math.random());
      if (realClock.monotonic() + waitMs >= endAt) throw notConnected(options, error);
      await pause(realClock, waitMs);
    }
  }
}

function notConnected(options: ResolvedOptions, cause: unknown): TroupeError {
  const why = (cause as { code?: string; message?: string }).code ?? (cause as Error).message;
  return new TroupeError(
    'NotConnected',
    `No NATS server answered at ${options.servers.join(', ')} within ${options.connectTimeoutMs} ms (${why}): start one with ` +
      '`troupe dev` or `nats-server -js`, or set TROUPE_NATS_URL.',
    { cause, details: { servers: options.servers } },
  );
}

function refused(options: ResolvedOptions, cause: unknown): TroupeError {
  const who = {
    none: 'no credentials',
    user: 'this user and password',
    token: 'this token',
    creds: 'these credentials',
  };
  return new TroupeError(
    'PermissionDenied',
    `The NATS server at ${options.servers.join(', ')} refused ${who[options.auth.kind]}: set TROUPE_NATS_USER and ` +
      'TROUPE_NATS_PASS, TROUPE_NATS_TOKEN or TROUPE_NATS_CREDS, or the options of the same meaning.',
    { cause, details: { servers: options.servers } },
  );
}
