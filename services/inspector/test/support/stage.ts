/** A real server, a worker, and a gateway with the page in front of them. */
import type { AnyAgent } from '@troupe/agent';
import { connect, type Troupe } from '@troupe/client';
import { createLogger } from '@troupe/diagnostics';
import { connectNats, createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import { type Ports, startWorker, type Worker } from '@troupe/runtime';
import { type Gateway, type GatewayOptions, INSPECTOR_MOUNTS, startGateway } from '@troupe/service-gateway';
import { inspectorPage } from '@troupe/service-inspector';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';

const PARTITIONS = 4;

export class Stage {
  readonly troupe: Troupe;
  worker: Worker | undefined;
  readonly #server: NatsServerHandle;
  readonly #agents: readonly AnyAgent[];
  readonly #opened: Ports[] = [];
  readonly #gateways: Gateway[] = [];

  private constructor(server: NatsServerHandle, troupe: Troupe, agents: readonly AnyAgent[]) {
    this.#server = server;
    this.troupe = troupe;
    this.#agents = agents;
  }

  static async start(agents: readonly AnyAgent[]): Promise<Stage> {
    const server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    await provision(connection, resolveConfig({ partitions: PARTITIONS }));
    await connection.close();
    const stage = new Stage(server, await connect({ url: server.url, inFlightMax: 4_096 }), agents);
    await stage.startWorker();
    return stage;
  }

  async startWorker(): Promise<void> {
    this.worker = await startWorker({ ports: await this.#ports(), definitions: this.#agents as never });
    await this.worker.ready;
  }

  /** On a free port. */
  async gateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    const gateway = await startGateway({
      listen: '127.0.0.1:0',
      troupe: this.troupe,
      ports: await this.#ports(),
      definitions: this.#agents as never,
      log: createLogger({ level: 'error' }),
      mounts: INSPECTOR_MOUNTS,
      page: await inspectorPage(),
      ...options,
    });
    this.#gateways.push(gateway);
    return gateway;
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.close();
    this.worker?.kill();
    await this.troupe.close();
    for (const ports of this.#opened) await ports.close();
    await this.#server.close();
  }

  async #ports(): Promise<Ports> {
    const connection = await connectNats({ servers: this.#server.url });
    const ports = createNatsPorts(connection, resolveConfig({ partitions: PARTITIONS }));
    this.#opened.push(ports);
    return ports;
  }
}
