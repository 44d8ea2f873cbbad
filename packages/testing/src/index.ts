/** Testing agents: a troupe in memory and under virtual time, the crash-replay checker, a real nats-server. */

export { type DurableOptions, type DurableReport, expectDurable } from './durable/expect-durable.ts';
export { NotDurableError } from './durable/not-durable-error.ts';
export type { Duration } from './durations.ts';
export { type NatsServerHandle, type NatsServerOptions, startNatsServer } from './nats-server.ts';
export { type LogLine, type StartTroupeOptions, startTroupe, type TestClock, type TestTroupe } from './start-troupe.ts';
export type { TestActor, TestPublished, TestState, TestTaskOptions } from './test-actor.ts';
export type { TestWorker } from './test-worker.ts';
