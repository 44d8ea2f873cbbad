/** The process that hosts actors, as functions: `main.ts` and the `troupe` command are made of them. */
export { CONFIG_NAMES, findConfigFile, type LoadedConfig, loadConfig } from './config-file.ts';
export { connectError, type OpenPorts, type OpenPortsOptions, openPorts, streamOptions } from './connection.ts';
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
export { exitCodeOf, type RunWorkerOptions, runWorker, WORKER_EXIT } from './run-worker.ts';
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
export { listenForStop, type StopListener, type StopReason } from './stop-signals.ts';

/** The file to fork. */
export const WORKER_MAIN = new URL('./main.ts', import.meta.url);
