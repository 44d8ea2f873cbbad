/**
 * Signed-in browsers: a random id in a cookie stands for the principal whose token was given once.
 *
 * Invariants
 * 1. The cookie holds no token; it is HttpOnly and SameSite=Strict, so neither a script nor another site can use it.
 * 2. At most `sessionsMax` are kept, the oldest goes first; each ends `ttlMs` after it began.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Principal } from './role.ts';

/** Limits of sessions. */
export interface SessionOptions {
  /** How long one lasts, ms. */
  readonly ttlMs: number;
  readonly sessionsMax: number;
  /** Whether the cookie is sent over TLS only. */
  readonly secure: boolean;
  /** Monotonic ms. */
  now(): number;
}

const COOKIE = 'troupe_session';
const ID_PATTERN = /^[A-Za-z0-9_-]{43}$/;

export class Sessions {
  readonly #options: SessionOptions;
  /** By digest of the id, so that a look at the memory gives no session away; in the order of their beginning. */
  readonly #sessions = new Map<string, { readonly principal: Principal; readonly endsAtMs: number }>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Begins one. @returns the value of `Set-Cookie`. */
  begin(principal: Principal): string {
    const { now, ttlMs, sessionsMax } = this.#options;
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(keyOf(id), { principal, endsAtMs: now() + ttlMs });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= sessionsMax) break;
      this.#sessions.delete(oldest);
    }
    return this.#cookie(id, Math.floor(ttlMs / 1_000));
  }

  /** Whose session the cookie names. */
  find(cookieHeader: string | undefined): Principal | undefined {
    const id = readCookie(cookieHeader);
    if (id === undefined) return undefined;
    const session = this.#sessions.get(keyOf(id));
    if (session === undefined) return undefined;
    if (this.#options.now() < session.endsAtMs) return session.principal;
    this.#sessions.delete(keyOf(id));
    return undefined;
  }

  /** Ends the one the cookie names. @returns the `Set-Cookie` that takes it out of the browser. */
  end(cookieHeader: string | undefined): string {
    const id = readCookie(cookieHeader);
    if (id !== undefined) this.#sessions.delete(keyOf(id));
    return this.#cookie('', 0);
  }

  #cookie(id: string, maxAgeS: number): string {
    const secure = this.#options.secure ? '; Secure' : '';
    return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure}`;
  }
}

function readCookie(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && ID_PATTERN.test(value)) return value;
  }
  return undefined;
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
