/** For our own packages. */
export { SecretFilter, type SecretFilterOptions } from './secrets.ts';
