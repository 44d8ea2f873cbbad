/**
 * Writes a cluster's files.
 *
 * Invariants
 * 1. Nothing that exists is overwritten: keys and passwords can't be had again.
 * 2. Folders are 0700; what holds a secret is 0600 from its first byte.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueServer } from './certificates.ts';
import type { ClusterPlan } from './options.ts';
import { accountsConf, FILES, serverConf } from './server-conf.ts';
import { ACCOUNT_REPLIES, createUsers, type User } from './users.ts';

/** What was made, without secrets; the content of `cluster.json`. */
export interface ClusterFiles {
  /** For `TROUPE_NATS_URL`. */
  readonly url: string;
  /** The authority's certificate, which clients and workers trust. */
  readonly caFile: string;
  readonly servers: readonly {
    readonly name: string;
    readonly configFile: string;
    readonly storeDir: string;
    readonly clientPort: number;
    readonly routePort: number;
    readonly monitorPort: number;
  }[];
  /** Each with the file of its variables. */
  readonly users: readonly { readonly name: string; readonly account: string; readonly envFile: string }[];
}

const AUTHORITY_DAYS = 3_650;

/** Writes everything. Throws `Error` when the folder isn't empty, or when nats-server refuses the result. */
export function writeCluster(plan: ClusterPlan): ClusterFiles {
  if (existsSync(plan.outDir) && readdirSync(plan.outDir).length > 0) {
    throw new Error(`${plan.outDir} is not empty: keys and passwords there would be lost. Choose another folder.`);
  }
  const dir = (...names: string[]): string => {
    const path = join(plan.outDir, ...names);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  dir();
  const authority = createAuthority(`${plan.clusterName} servers`, AUTHORITY_DAYS);
  const routeAuthority = createAuthority(`${plan.clusterName} routes`, AUTHORITY_DAYS);
  const authorities = dir('authorities');
  publicFile(join(plan.outDir, FILES.authority), authority.certificate);
  publicFile(join(authorities, FILES.routeAuthority), routeAuthority.certificate);
  secretFile(join(authorities, 'ca-key.pem'), authority.key);
  secretFile(join(authorities, 'route-ca-key.pem'), routeAuthority.key);

  const users = createUsers(plan);
  const accounts = accountsConf(plan, users);
  for (const server of plan.servers) {
    const folder = dir(server.name);
    const hosts = [...new Set([server.host, server.name, ...(plan.listen === '127.0.0.1' ? ['localhost'] : [])])];
    const outward = issueServer(authority, hosts, plan.days);
    const route = issueServer(routeAuthority, hosts, plan.days);
    publicFile(join(folder, FILES.certificate), outward.certificate);
    secretFile(join(folder, FILES.key), outward.key);
    publicFile(join(folder, FILES.routeCertificate), route.certificate);
    secretFile(join(folder, FILES.routeKey), route.key);
    publicFile(join(folder, FILES.routeAuthority), routeAuthority.certificate);
    secretFile(join(folder, FILES.accounts), accounts);
    secretFile(join(folder, FILES.config), serverConf(plan, server));
  }
  dir('users');
  const files = describe(plan, users);
  for (const user of users) writeUser(plan, files, user);
  publicFile(join(plan.outDir, 'cluster.json'), `${JSON.stringify(files, null, 2)}\n`);
  if (plan.validate && plan.installDir === plan.outDir)
    for (const { configFile } of files.servers) validate(configFile);
  return files;
}

function describe(plan: ClusterPlan, users: readonly User[]): ClusterFiles {
  const path = (...names: string[]): string => join(plan.installDir, ...names);
  return {
    url: plan.servers.map(({ host, clientPort }) => `tls://${host}:${clientPort}`).join(','),
    caFile: path(FILES.authority),
    servers: plan.servers.map(({ name, clientPort, routePort, monitorPort }) => ({
      name,
      configFile: path(name, FILES.config),
      storeDir: path(name, FILES.store),
      clientPort,
      routePort,
      monitorPort,
    })),
    users: users.map(({ name, account }) => ({ name, account, envFile: path('users', `${name}.env`) })),
  };
}

/** The password in a file of its own, so that it can be mounted as a secret and never stands in an environment. */
function writeUser(plan: ClusterPlan, files: ClusterFiles, user: User): void {
  secretFile(join(plan.outDir, 'users', `${user.name}.password`), user.password);
  const { prefix } = plan.nats.subjects;
  const variables: Record<string, string | number> = {
    TROUPE_NATS_URL: files.url,
    TROUPE_NATS_CA: files.caFile,
    TROUPE_NATS_USER: user.name,
    TROUPE_NATS_PASS_FILE: join(plan.installDir, 'users', `${user.name}.password`),
    TROUPE_NATS_INBOX_PREFIX: user.inboxPrefix,
    ...(user.account === 'workers'
      ? {
          TROUPE_PARTITIONS: plan.nats.partitions,
          TROUPE_JOURNAL_STREAMS: plan.nats.journals.length,
          TROUPE_REPLICAS: plan.nats.replicas,
          TROUPE_REPLY_PREFIXES: ACCOUNT_REPLIES,
        }
      : {}),

    ...(prefix === 'troupe' ? {} : { TROUPE_PREFIX: prefix }),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  secretFile(join(plan.outDir, 'users', `${user.name}.env`), lines.join(''));
}

function secretFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

function publicFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o644, flag: 'wx' });
}

function validate(configFile: string): void {
  const binary = process.env.TROUPE_NATS_SERVER || 'nats-server';
  try {
    execFileSync(binary, ['-t', '--config', configFile], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    const what = code === 'ENOENT' ? `${binary} is not there to check it; install it or use --no-validate` : stderr;
    throw new Error(`${configFile} is not valid: ${what}`);
  }
}
