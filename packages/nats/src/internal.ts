export { type ProcessState, readProcessState } from './process-state.ts';
