/** For the other packages of Troupe only; may change in any release. */

export { OriginGuard } from './auth/origin-guard.ts';
export { RateLimiter } from './auth/rate-limiter.ts';
export { Sessions } from './auth/sessions.ts';
export { TokenBook } from './auth/token-book.ts';
export { documentedRoutes } from './documented-routes.ts';
export { createGatewayMetrics } from './gateway-metrics.ts';
export { type ChannelInput, EventChannels } from './http/event-channels.ts';
export { EventStream } from './http/event-stream.ts';
export { parseTarget } from './http/target.ts';
export { makeLive } from './live/live.ts';
export { makeStately, makeXStateInspect } from './live/stately.ts';
export { openApiDocument } from './openapi/document.ts';
export { resolveListenOptions } from './options.ts';
export { ROUTES } from './routes/index.ts';
