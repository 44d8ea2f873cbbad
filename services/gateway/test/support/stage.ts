/** A real server, a worker, and gateways in front of them. */
import type { AnyAgent } from '@troupe/agent';
import { connect, type Troupe } from '@troupe/client';
import { createLogger } from '@troupe/diagnostics';
import { connectNats, createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import { type Ports, startWorker, type Worker } from '@troupe/runtime';
import { type Gateway, type GatewayOptions, startGateway } from '@troupe/service-gateway';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';

const PARTITIONS = 4;

export class Stage {
  readonly server: NatsServerHandle;
  readonly troupe: Troupe;
  readonly ports: Ports;
  worker: Worker | undefined;
  /** All that gateways of this stage logged. */
  log = '';
  readonly #agents: readonly AnyAgent[];
  readonly #gateways: Gateway[] = [];
  readonly #workerPorts: Ports[] = [];

  private constructor(server: NatsServerHandle, troupe: Troupe, ports: Ports, agents: readonly AnyAgent[]) {
    this.server = server;
    this.troupe = troupe;
    this.ports = ports;
    this.#agents = agents;
  }

  static async start(agents: readonly AnyAgent[]): Promise<Stage> {
    const server = await startNatsServer();
    const config = resolveConfig({ partitions: PARTITIONS });
    const connection = await connectNats({ servers: server.url });
    await provision(connection, config);
    const troupe = await connect({ url: server.url });
    const stage = new Stage(server, troupe, createNatsPorts(connection, config), agents);
    await stage.startWorker();
    return stage;
  }

  async startWorker(): Promise<void> {
    const connection = await connectNats({ servers: this.server.url });
    const ports = createNatsPorts(connection, resolveConfig({ partitions: PARTITIONS }));
    this.#workerPorts.push(ports);
    this.worker = await startWorker({ ports, definitions: this.#agents as never });
    await this.worker.ready;
  }

  /** A gateway on a free port, everything else by default. */
  async gateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    const stream = {
      write: (line: string): void => {
        this.log += line;
      },
    };
    const gateway = await startGateway({
      listen: '127.0.0.1:0',
      troupe: this.troupe,
      ports: this.ports,
      definitions: this.#agents as never,
      log: createLogger({ level: 'debug', stream }),
      ...options,
    });
    this.#gateways.push(gateway);
    return gateway;
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.close();
    this.worker?.kill();
    await this.troupe.close();
    await this.ports.close();
    for (const ports of this.#workerPorts) await ports.close();
    await this.server.close();
  }
}
