/** The text of one server's configuration. */
import { join } from 'node:path';
import { journalMappings, type Permissions } from '@troupe/nats';
import type { ClusterPlan, ServerPlan } from './options.ts';
import type { User } from './users.ts';

/** Names of the files in a server's folder. */
export const FILES = {
  config: 'nats-server.conf',
  accounts: 'accounts.conf',
  certificate: 'server.pem',
  key: 'server-key.pem',
  authority: 'ca.pem',
  routeCertificate: 'route.pem',
  routeKey: 'route-key.pem',
  routeAuthority: 'route-ca.pem',
  store: 'data',
} as const;

const SYNC_COMMENT = {
  always: `  # What is acknowledged has been written through to the disks of two of the three servers, so it survives a power failure
  # of all of them at once. One write-through per replicated batch, not per message.`,
  default: `  # Written through every two minutes: what is acknowledged survives the crash of any server process, and the loss of one
  # machine, but not a power failure of two at once. Use --sync always where that counts.`,
} as const;

/** `nats-server.conf` of one server; it includes `accounts.conf`, which is the same on all three. */
export function serverConf(plan: ClusterPlan, server: ServerPlan): string {
  const at = (file: string): string => quote(join(plan.installDir, server.name, file));
  const routes = plan.servers.map(({ host, routePort }) => quote(`nats-route://${host}:${routePort}`));
  return `# Made by infra/generate.ts. The cluster's three files differ in names, ports and certificates only.
server_name: ${quote(server.name)}
listen: ${quote(`${plan.listen}:${server.clientPort}`)}
client_advertise: ${quote(`${server.host}:${server.clientPort}`)}
# Without authentication, so on loopback only.
http: ${quote(`127.0.0.1:${server.monitorPort}`)}
server_tags: [${quote(`zone:${server.name}`)}]

# A message of Troupe's is at most 1 MiB.
max_payload: 1MB
# A client that can't keep up is cut off rather than kept in memory.
max_pending: 64MB
write_deadline: "10s"
# A half-open connection is noticed after 20 to 40 s.
ping_interval: "20s"
ping_max: 2
# On SIGUSR2 or "nats-server --signal ldm": leaders move away first, and clients are asked to go elsewhere.
lame_duck_grace_period: "2s"
lame_duck_duration: "30s"

tls {
  cert_file: ${at(FILES.certificate)}
  key_file: ${at(FILES.key)}
  min_version: "1.2"
  timeout: 5
}

jetstream {
  store_dir: ${at(FILES.store)}
  max_memory_store: 256MB
  max_file_store: ${plan.storeMax}
  # No two copies of a stream in one zone; each server is its own here.
  unique_tag: "zone:"
${SYNC_COMMENT[plan.sync]}
  sync_interval: ${plan.sync === 'always' ? 'always' : '"2m"'}
}

cluster {
  name: ${quote(plan.clusterName)}
  listen: ${quote(`${plan.listen}:${server.routePort}`)}
  # Who joins needs a certificate of an authority that signs for nothing else.
  tls {
    cert_file: ${at(FILES.routeCertificate)}
    key_file: ${at(FILES.routeKey)}
    ca_file: ${at(FILES.routeAuthority)}
    verify: true
    timeout: 5
  }
  routes: [${routes.join(', ')}]${plan.advertise ? '' : '\n  no_advertise: true'}
}

include ${quote(`./${FILES.accounts}`)}
`;
}

/** `accounts.conf`: the same on every server. */
export function accountsConf(plan: ClusterPlan, users: readonly User[]): string {
  const { prefix } = plan.nats.subjects;
  const of = (account: User['account']): User[] => users.filter((user) => user.account === account);
  const services = ['task', 'signal', 'ask', 'query'].map((verb) => `${prefix}.${verb}.>`);
  const streams = [`${prefix}.out.>`, `${prefix}.stream.>`, ...of('clients').map((user) => `${user.inboxPrefix}.>`)];
  const mappings = journalMappings(plan.nats).map(({ from, to }) => `      ${quote(from)}: ${quote(to)}`);
  return `# Made by infra/generate.ts. Holds passwords: readable by the server's user only.
accounts {
  # Streams, workers and who operates them.
  WORKERS {
    jetstream: enabled
${userLines(of('workers'))}
    exports: [
${services.map((subject) => `      { service: ${quote(subject)}, response_threshold: ${quote(thresholdOf(subject, prefix))} }`).join('\n')}
${streams.map((subject) => `      { stream: ${quote(subject)} }`).join('\n')}
    ]${mappings.length === 0 ? '' : `\n    # Journals are split by hash: the partition goes in front, and with it each entry to its stream.\n    mappings: {\n${mappings.join('\n')}\n    }`}
  }
  # Clients, in an account of their own: whatever they do with reply subjects stays in it. They have no JetStream.
  CLIENTS {
${userLines(of('clients'))}
    imports: [
${services.map((subject) => `      { service: { account: WORKERS, subject: ${quote(subject)} } }`).join('\n')}
${streams.map((subject) => `      { stream: { account: WORKERS, subject: ${quote(subject)} } }`).join('\n')}
    ]
  }
  # The servers themselves: leaders, peers, reports.
  SYSTEM {
${userLines(of('system'))}
  }
}
system_account: SYSTEM
`;
}

/** For how long the way back to a requester of another account is kept; an ask may wait as long as its task. */
function thresholdOf(subject: string, prefix: string): string {
  return subject === `${prefix}.ask.>` ? '24h' : '2m';
}

function userLines(users: readonly User[]): string {
  const lines = users.map(({ name, password, permissions }) => {
    const login = `      { user: ${quote(name)}, password: ${quote(password)}`;
    return permissions === undefined ? `${login} }` : `${login}, permissions: ${permissionLines(permissions)} }`;
  });
  return `    users: [\n${lines.join('\n')}\n    ]`;
}

function permissionLines({ publish, subscribe }: Permissions): string {
  const list = (subjects: readonly string[]): string =>
    `{ allow: [\n${subjects.map((subject) => `          ${quote(subject)}`).join('\n')}\n        ] }`;
  return `{\n        publish: ${list(publish)}\n        subscribe: ${list(subscribe)}\n      }`;
}

/** As nats-server reads text; none of ours has a quote or a backslash in it that JSON would not escape alike. */
function quote(text: string): string {
  return JSON.stringify(text);
}
