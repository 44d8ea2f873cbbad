/** What the proofs and the tests of this package are made of. */
export { support } from './agents/support.ts';
