/** The routes as a gateway has them, for the pages of the reference. */
import { Authenticator } from './auth/authenticator.ts';
import { RateLimiter } from './auth/rate-limiter.ts';
import { Sessions } from './auth/sessions.ts';
import { TokenBook } from './auth/token-book.ts';
import { allRoutes } from './gateway.ts';
import type { Route } from './http/route.ts';

/** Routes don't depend on who may use them; so that nobody may will do. */
export function documentedRoutes(): readonly Route[] {
  const now = (): number => 0;
  const sessions = new Sessions({ ttlMs: 1, sessionsMax: 1, secure: false, now });
  const wrong = new RateLimiter({ perSecond: 1, burst: 1, keysMax: 1, now });
  return allRoutes(new Authenticator(new TokenBook([]), sessions, wrong, () => undefined));
}
