/**
 * For the other packages of Troupe only; may change in any release. What stands here loads neither the NATS client nor
 * XState, so that a command that needs neither starts at once.
 */

export type { LoopDelay, ProcessAbout } from './about.ts';
export { CONFIG_NAMES, findConfigFile, type LoadedConfig, loadConfig } from './config-file.ts';
export { WORKER_EXIT } from './exit-codes.ts';
export { type Health, type HealthSource, type HealthyWorker, healthOf } from './health.ts';
export {
  type ActorHint,
  isWorkerMessage,
  type LoadedMessage,
  openGate,
  type ReadyMessage,
  reportReady,
  type WorkerMessage,
  waitAtGate,
} from './parent.ts';
export { type Failure, RESTART_LIMITS, type RestartLimits, RestartPolicy } from './processes/restart-policy.ts';
export { processCount, type RunProcessesOptions, runProcesses } from './run-processes.ts';
export {
  type Origin,
  OTHER_VARIABLES,
  type ResolvedSettings,
  resolveSettings,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingSources,
  type Settings,
} from './settings.ts';

/** The file to fork. */
export const WORKER_MAIN = new URL('./main.ts', import.meta.url);
