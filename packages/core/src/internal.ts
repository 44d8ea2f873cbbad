/** For the other packages of Troupe; may change with any release. */
export { migrateStoredState } from './migrate.ts';
export { stepRules } from './rules.ts';
export { Draft } from './step/draft.ts';
export { refuseEntry } from './step/refuse-entry.ts';
