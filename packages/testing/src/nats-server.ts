/** A real nats-server for a test: its own ports, its own store, gone with the test. */
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from '@troupe/nats';

/** How the server of a test is started; see `ServerProcessOptions` for the defaults. */
export type NatsServerOptions = Pick<
  ServerProcessOptions,
  | 'storeDir'
  | 'port'
  | 'config'
  | 'configFile'
  | 'monitorPort'
  | 'jetstream'
  | 'jetstreamConfig'
  | 'syncAlways'
  | 'env'
  | 'binary'
  | 'name'
  | 'readyTimeoutMs'
>;

/** A running server, with the ways in which a test ends, freezes and restarts it. */
export type NatsServerHandle = ServerProcess;

/**
 * Starts a nats-server on loopback, on a free port, with JetStream in a temporary folder, and resolves when it answers.
 * It is stopped at the end of the scope, and at the latest when the test's process ends, even if that is killed.
 *
 * The binary is that of `TROUPE_NATS_SERVER` (which `npm test` sets), else `nats-server` of PATH.
 *
 * @throws TroupeError `ServerMissing`, `ServerTooOld`, `Timeout` (15 s) or `Internal`, with the server's log in the message
 *
 * @example
 * test('survives a crash of the server', async () => {
 *   await using server = await startNatsServer();
 *   const client = await connect({ url: server.url });
 *   await server.kill('SIGKILL');
 *   await server.restart();          // same port, same store
 * });
 */
export function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServerHandle> {
  return startServerProcess(options);
}
