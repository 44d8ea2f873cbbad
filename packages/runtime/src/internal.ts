/** For our own packages: the ports in memory, their conformance suite is under `conformance/`, and what adapters share. */
export { type ConditionalWrite, compareAndSet, PORT_DEADLINE_MS, type WriteAttempt } from './conditional-write.ts';
export type { Harness, HarnessOptions, MakeHarness, TestFramework } from './conformance/harness.ts';
export { portConformance } from './conformance/index.ts';
export { makeMemoryHarness } from './conformance/memory-harness.ts';
export { checkedHeaders } from './header-check.ts';
export type { BrokerWatch, Fault, FaultPlan, Operation, OperationKind } from './memory/faults.ts';
export {
  type ConnectOptions,
  createMemoryPorts,
  MemoryBroker,
  type MemoryBrokerOptions,
} from './memory/memory-broker.ts';
export type { MemoryConnection } from './memory/memory-connection.ts';
export type { MemoryMessage } from './memory/memory-message.ts';
export type { MemoryPorts } from './memory/memory-ports.ts';
export { VirtualClock, type VirtualClockOptions } from './memory/virtual-clock.ts';
export { decodeParked, encodeParked } from './parked-entry.ts';
export type { PartitionStats } from './partition-owner.ts';
export { assertFilter, assertPublishable, assertRecordKey, assertTtl } from './port-arguments.ts';
export { rules, sizes } from './rules.ts';
