/** For the tests of this package. */
export { clocked } from './agents/clocked.ts';
export type { Said } from './agents/gossip.ts';
export { impure } from './agents/impure.ts';
export { ledger } from './agents/ledger.ts';
export { support } from './agents/support.ts';
export { PARTITIONS } from './partitions.ts';
export { type KillPlan, planKills } from './proofs/kill-plan.ts';
export { type LoadProofOptions, type LoadProofResult, proveLoad } from './proofs/load-proof.ts';
export { proveTakeover, type TakeoverProofOptions, type TakeoverProofResult } from './proofs/takeover-proof.ts';
export { chooseSeed, createRandom, type Random } from './random.ts';
export { until, within } from './waiting.ts';
export { WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';
export { World, type WorldOptions } from './world.ts';
