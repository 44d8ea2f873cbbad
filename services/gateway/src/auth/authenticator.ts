/**
 * Who is behind a request: a bearer token, a signed-in browser, or anybody where the gateway wants no tokens.
 *
 * Invariants
 * 1. What was sent as a token stands in no error and no log.
 * 2. After `wrongTokensPerMinuteMax` wrong ones an address is refused before its next is looked at.
 */
import type { IncomingMessage } from 'node:http';
import { TroupeError } from '@troupe/wire';
import { HttpError, tooMany } from '../http/http-error.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { covers, type Principal, type Role } from './role.ts';
import type { Sessions } from './sessions.ts';
import type { TokenBook } from './token-book.ts';

/** Where no token is wanted, everybody on this machine. */
const LOCAL: Principal = { name: 'local', role: 'operate' };

export class Authenticator {
  readonly sessions: Sessions;
  readonly #tokens: TokenBook;
  readonly #wrong: RateLimiter;
  readonly #onWrong: () => void;

  constructor(tokens: TokenBook, sessions: Sessions, wrong: RateLimiter, onWrong: () => void) {
    this.#tokens = tokens;
    this.sessions = sessions;
    this.#wrong = wrong;
    this.#onWrong = onWrong;
  }

  /** Whether one has to say who one is. */
  get required(): boolean {
    return this.#tokens.required;
  }

  /** @throws HttpError `Unauthenticated`, `TooManyRequests` */
  authenticate(request: IncomingMessage): Principal {
    if (!this.required) return LOCAL;
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined) return this.byToken(bearerOf(authorization), request);
    const principal = this.sessions.find(cookie);
    if (principal !== undefined) return principal;
    throw unauthenticated('The request carries no token');
  }

  /** Whose token it is. @throws HttpError `Unauthenticated`, `TooManyRequests` */
  byToken(token: string | undefined, request: IncomingMessage): Principal {
    const address = request.socket.remoteAddress ?? '';
    const waitMs = this.#wrong.peek(address);
    if (waitMs > 0) throw tooMany('Too many wrong tokens came from this address', waitMs);
    const principal = token === undefined ? undefined : this.#tokens.find(token);
    if (principal !== undefined) return principal;
    this.#wrong.take(address);
    this.#onWrong();
    throw unauthenticated('The token is not known, or not sent as a bearer token');
  }
}

/** @throws HttpError `PermissionDenied` naming the role that is needed. */
export function demand(principal: Principal, role: Role): void {
  if (covers(principal.role, role)) return;
  throw new HttpError(
    new TroupeError(
      'PermissionDenied',
      `This needs the role ${role}, and ${principal.name} has the role ${principal.role}: use a token with that role.`,
    ),
  );
}

function bearerOf(header: string): string | undefined {
  return /^Bearer +([!-~]+) *$/i.exec(header)?.[1];
}

function unauthenticated(what: string): HttpError {
  const error = new TroupeError(
    'Unauthenticated',
    `${what}: send Authorization: Bearer with one of the gateway's tokens, or sign in with a browser.`,
  );
  return new HttpError(error, { 'WWW-Authenticate': 'Bearer realm="troupe"' });
}
