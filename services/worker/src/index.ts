/** The process that hosts actors, as functions: `main.ts` and the `troupe` command are made of them. */
export { connectError, type OpenPorts, type OpenPortsOptions, openPorts, streamOptions } from './connection.ts';
export { exitCodeOf, WORKER_EXIT } from './exit-codes.ts';
export { type RunWorkerOptions, runWorker } from './run-worker.ts';
export { listenForStop, type StopReason } from './stop-signals.ts';
