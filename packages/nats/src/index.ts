export {
  type ServerExit,
  ServerProcess,
  type ServerProcessOptions,
  type StopSignal,
  startServerProcess,
} from './server-process.ts';
