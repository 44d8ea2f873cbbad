/** For the other packages of Troupe only; may change in any release. `createTroupe` makes a client over any wire. */

export { type Clock, realClock, type Timer } from './clock.ts';
export type { ExchangeOptions } from './exchange.ts';
export { dialNats } from './nats-wire.ts';
export { type ResolvedOptions, resolveOptions } from './options.ts';
export { createTroupe } from './troupe.ts';
export type { OnMessage, Subscription, Wire, WireEvent } from './wire.ts';
