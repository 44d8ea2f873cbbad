/** Testing agents: a troupe in memory and under virtual time, the crash-replay checker, a real nats-server. */

export type { Failure, FailureCause } from './durable/check-script.ts';
export type { Difference } from './durable/difference.ts';
export { type DurableOptions, type DurableReport, expectDurable } from './durable/expect-durable.ts';
export { NotDurableError } from './durable/not-durable-error.ts';
export type { Operation } from './durable/script.ts';
export type { Duration } from './durations.ts';
export { type NatsServerHandle, type NatsServerOptions, startNatsServer } from './nats-server.ts';
export type { Pump } from './pump.ts';
export { type ReplayCapsuleOptions, type ReplayedCapsule, replayCapsule } from './replay-capsule.ts';
export { type LogLine, type StartTroupeOptions, startTroupe, type TestClock, type TestTroupe } from './start-troupe.ts';
export type { TestActor, TestActorHost, TestPublished, TestState, TestTaskOptions } from './test-actor.ts';
export type { Deployment, TestWorker, TestWorkerOptions } from './test-worker.ts';
