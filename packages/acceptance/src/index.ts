/** The proofs that can be run by themselves. */
export { runProof } from './proofs/main.ts';
