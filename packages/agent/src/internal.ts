/** For the other packages of Troupe only; may change in any release. */

export { isTroupeConfig } from './define-config.ts';
export { nearest } from './nearest.ts';
