/** Who may connect, as what, with which password. */
import { randomBytes } from 'node:crypto';
import {
  clientPermissions,
  gatewayPermissions,
  inspectorPermissions,
  operatorPermissions,
  type Permissions,
  workerPermissions,
} from '@troupe/nats';
import type { ClusterPlan } from './options.ts';

/** One user of the servers. */
export interface User {
  readonly name: string;
  readonly account: 'workers' | 'clients' | 'system';
  readonly inboxPrefix: string;
  /** Undefined: everything in its account. */
  readonly permissions: Permissions | undefined;
  readonly password: string;
}

/** Subjects under which the server brings an answer back from one account to another. */
export const ACCOUNT_REPLIES = '_R_';

/** All users of a cluster, each with a new password of 256 random bits. */
export function createUsers(plan: ClusterPlan): User[] {
  const { nats } = plan;
  const user = (name: string, account: User['account'], permissions: (inbox: string) => Permissions): User => {
    const inboxPrefix = `_INBOX.${name}`;
    return { name, account, inboxPrefix, permissions: permissions(inboxPrefix), password: newPassword() };
  };
  return [
    user('worker', 'workers', (inboxPrefix) => answering(workerPermissions(nats, { inboxPrefix }))),
    user('inspector', 'workers', (inboxPrefix) => inspectorPermissions(nats, { inboxPrefix })),
    user('gateway', 'workers', (inboxPrefix) => gatewayPermissions(nats, { inboxPrefix })),
    user('operator', 'workers', (inboxPrefix) => answering(operatorPermissions(nats, { inboxPrefix }))),
    ...plan.clients.map(({ name, types }) =>
      user(name, 'clients', (inboxPrefix) => clientPermissions(nats, { inboxPrefix, types })),
    ),
    { name: 'system', account: 'system', inboxPrefix: '_INBOX', permissions: undefined, password: newPassword() },
  ];
}

function answering(permissions: Permissions): Permissions {
  return { ...permissions, publish: [...permissions.publish, `${ACCOUNT_REPLIES}.>`] };
}

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}
