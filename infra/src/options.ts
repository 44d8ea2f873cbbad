/** Options of the generator: loose in, total out, refused early. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type NatsConfig, resolveConfig } from '@troupe/nats';

/** When a server writes what it has acknowledged through to the disk. */
export type Sync = 'always' | 'default';

/** One server of the cluster. */
export interface ServerPlan {
  /** `n1`, `n2`, `n3`. */
  readonly name: string;
  /** Name or address under which clients and the other servers reach it. */
  readonly host: string;
  readonly clientPort: number;
  readonly routePort: number;
  readonly monitorPort: number;
}

/** A client user and the types that it may use. */
export interface ClientPlan {
  readonly name: string;
  readonly types: readonly string[];
}

/** Everything that is generated, decided. */
export interface ClusterPlan {
  readonly outDir: string;
  /** Where the folder will lie on the servers. */
  readonly installDir: string;
  readonly clusterName: string;
  readonly servers: readonly ServerPlan[];
  /** Address to listen on. */
  readonly listen: string;
  readonly sync: Sync;
  /** Most bytes of streams per server, as nats-server writes it. */
  readonly storeMax: string;
  /** Tell clients of the other servers, so that they can go on there. */
  readonly advertise: boolean;
  readonly clients: readonly ClientPlan[];
  readonly days: number;
  readonly nats: NatsConfig;
  /** Check the result with `nats-server -t`. */
  readonly validate: boolean;
}

export const USAGE = `node infra/generate.ts --out DIR [options]

Writes the configuration of a NATS cluster of three for Troupe: TLS with certificates of its own authorities, one account for
workers and one for clients, users with the least permissions, passwords. Checked by nats-server -t.

  --out DIR             where to; must be empty or not there
  --host NAME           of a server, three times; default 127.0.0.1 for all
  --client-port PORT    three times or once; once: the next servers take the next ports. Default 4222
  --route-port PORT     likewise; default 6222
  --monitor-port PORT   likewise, on loopback only; default 8222
  --listen ADDRESS      default 127.0.0.1, or 0.0.0.0 when a host is not loopback
  --install-dir DIR     where DIR will lie on the servers, when it is copied there; default DIR itself
  --cluster NAME        default troupe
  --sync always|default always: what is acknowledged is on the disk. default: nats-server's own two minutes. Default always
  --store-max SIZE      most that the streams of one server take; default 20GB
  --client NAME[=TYPES] a client user, and the types it may use, with commas; as often as wanted. Default: client, all types
  --prefix TOKENS       first tokens of every subject, as the workers have it; default troupe
  --partitions N        default 64
  --journal-streams N   journals that every type is spread over by hash; default 1
  --days N              validity of the servers' certificates; default 825
  --no-advertise        clients use the addresses that they were given only: for proxies and port forwards
  --no-validate         leave nats-server -t out
`;

const OPTIONS = {
  out: { type: 'string' },
  host: { type: 'string', multiple: true },
  'client-port': { type: 'string', multiple: true },
  'route-port': { type: 'string', multiple: true },
  'monitor-port': { type: 'string', multiple: true },
  listen: { type: 'string' },
  'install-dir': { type: 'string' },
  cluster: { type: 'string' },
  sync: { type: 'string' },
  'store-max': { type: 'string' },
  client: { type: 'string', multiple: true },
  prefix: { type: 'string' },
  partitions: { type: 'string' },
  'journal-streams': { type: 'string' },
  days: { type: 'string' },
  'no-advertise': { type: 'boolean' },
  'no-validate': { type: 'boolean' },
} as const;

const SERVERS = 3;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** Names that other users have. */
const RESERVED = ['worker', 'inspector', 'gateway', 'operator', 'system'];

/** Reads the command line. Throws `Error` or `TroupeError` naming the option, what was seen and what is allowed. */
export function readOptions(args: readonly string[], cwd: string): ClusterPlan {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true });
  if (values.out === undefined || values.out === '') throw refuse('out', values.out, 'the folder to write to');
  const outDir = resolve(cwd, values.out);
  const hosts = hostsOf(values.host ?? ['127.0.0.1']);
  const ports = {
    client: portsOf('client-port', values['client-port'] ?? ['4222']),
    route: portsOf('route-port', values['route-port'] ?? ['6222']),
    monitor: portsOf('monitor-port', values['monitor-port'] ?? ['8222']),
  };
  const sync = values.sync ?? 'always';
  if (sync !== 'always' && sync !== 'default') throw refuse('sync', sync, 'always or default');
  const storeMax = values['store-max'] ?? '20GB';
  if (!/^[1-9]\d{0,8}(MB|GB|TB)$/.test(storeMax)) throw refuse('store-max', storeMax, 'a size such as 512MB or 20GB');
  const clusterName = values.cluster ?? 'troupe';
  if (!NAME.test(clusterName)) throw refuse('cluster', clusterName, 'letters, digits, - and _');
  return {
    outDir,
    installDir: values['install-dir'] ?? outDir,
    clusterName,
    servers: hosts.map((host, at) => ({
      name: `n${at + 1}`,
      host,
      clientPort: ports.client[at]!,
      routePort: ports.route[at]!,
      monitorPort: ports.monitor[at]!,
    })),
    listen: values.listen ?? (hosts.every(isLoopback) ? '127.0.0.1' : '0.0.0.0'),
    sync,
    storeMax,
    clients: clientsOf(values.client ?? ['client']),
    days: numberOf('days', values.days ?? '825', 1, 3_650),
    nats: resolveConfig({
      replicas: SERVERS,
      ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
      partitions: numberOf('partitions', values.partitions ?? '64', 1, 1_024),
      journalStreams: numberOf('journal-streams', values['journal-streams'] ?? '1', 1, 16),
    }),
    advertise: values['no-advertise'] !== true,
    validate: values['no-validate'] !== true,
  };
}

function hostsOf(given: readonly string[]): string[] {
  const wrong = given.find((host) => isIP(host) === 0 && !HOST.test(host));
  if (wrong !== undefined) throw refuse('host', wrong, 'a host name or an address');
  if (given.length === 1 && isLoopback(given[0]!)) return new Array<string>(SERVERS).fill(given[0]!);
  if (given.length === SERVERS) return [...given];
  throw refuse('host', given.join(', '), `one per server, ${SERVERS} in all`);
}

function portsOf(option: string, given: readonly string[]): number[] {
  const ports = given.map((port) => numberOf(option, port, 1, 65_533));
  if (ports.length === SERVERS) return ports;
  if (ports.length === 1) return Array.from({ length: SERVERS }, (_, at) => ports[0]! + at);
  throw refuse(option, given.join(', '), `one port, or ${SERVERS}`);
}

function clientsOf(given: readonly string[]): ClientPlan[] {
  const clients = given.map((one) => {
    const [name = '', types] = one.split('=');
    if (!NAME.test(name) || RESERVED.includes(name)) {
      throw refuse('client', one, `a name of letters, digits, - and _, and none of ${RESERVED.join(', ')}`);
    }
    return { name, types: types === undefined ? ['*'] : types.split(',') };
  });
  const wrong = clients
    .flatMap(({ types }) => types)
    .find((type) => type !== '*' && !/^[a-z][a-z0-9-]{0,62}$/.test(type));
  if (wrong !== undefined) throw refuse('client', wrong, 'types such as support,order behind the =');
  const twice = clients.find(({ name }, at) => clients.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) throw refuse('client', twice.name, 'each name once');
  return clients;
}

function numberOf(option: string, given: string, min: number, max: number): number {
  const value = Number(given);
  if (/^\d{1,6}$/.test(given) && value >= min && value <= max) return value;
  throw refuse(option, given, `a whole number from ${min} to ${max}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function refuse(option: string, seen: unknown, allowed: string): Error {
  return new Error(`--${option} is ${JSON.stringify(seen)}: allowed is ${allowed}.`);
}
