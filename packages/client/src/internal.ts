/** For the other packages of Troupe only; may change in any release. A client over any wire: `new Troupe(wire, clock, options)`. */

export { type Clock, realClock, type Timer } from './clock.ts';
export type { ExchangeOptions } from './exchange.ts';
export { dialNats } from './nats-wire.ts';
export { type ResolvedOptions, resolveOptions } from './options.ts';
export { Troupe } from './troupe.ts';
export type { OnMessage, Subscription, Wire, WireEvent } from './wire.ts';
