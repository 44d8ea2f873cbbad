/** HTTP in front of a troupe: for browsers, for scripts, for what speaks no NATS. */
export type { Principal, Role } from './auth/role.ts';
export { parseTokens, type TokenSpec } from './auth/token-book.ts';
export type { GatewayContext } from './context.ts';
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
export { INSPECTOR_MOUNTS } from './live/mounts.ts';
export type { MakeMount, WebSocketMount } from './mount.ts';
export { type GatewayLimits, LIMITS_DEFAULT, LISTEN_DEFAULT, type ListenOptions } from './options.ts';
