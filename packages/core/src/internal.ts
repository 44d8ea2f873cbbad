/** For the other packages of Troupe; may change with any release. */
export { migrateStoredState } from './migrate.ts';
export { Draft } from './step/draft.ts';
