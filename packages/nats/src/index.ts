/** The runtime's ports on JetStream. See README.md. */
export { backupStreams, restoreStreams, type StreamBackup } from './backup.ts';
export { realClock } from './clock.ts';
export {
  type JournalOptions,
  type JournalStream,
  type NatsConfig,
  type NatsConfigOptions,
  type RetentionOptions,
  resolveConfig,
} from './config.ts';
export { Connection, connectNats, type NatsOptions } from './connect.ts';
export { createNatsPorts } from './nats-ports.ts';
export {
  clientPermissions,
  gatewayPermissions,
  inspectorPermissions,
  operatorPermissions,
  type Permissions,
  provisionerPermissions,
  type UserOptions,
  workerPermissions,
} from './permissions.ts';
export { type ProvisionLog, provision } from './provision.ts';
export type { RawRequestOptions, RawRequests } from './raw-request.ts';
export {
  type ServerExit,
  ServerProcess,
  type ServerProcessOptions,
  type StopSignal,
  startServerProcess,
} from './server-process.ts';
export { journalMappings, type SubjectMapping } from './streams.ts';
