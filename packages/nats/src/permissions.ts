/**
 * Exactly what each kind of user needs to be allowed on the server, and nothing beside it. `infra/` writes the server's
 * configuration from it, `docs/reference/permissions.md` shows it, and a test holds both against a real server.
 */
import type { NatsConfig } from './config.ts';

/** Subjects to allow; everything else is denied. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** `inboxPrefix`: the user's own, such as `_INBOX.worker`, so that nobody reads another's replies. */
export interface UserOptions {
  readonly inboxPrefix: string;
}

/** A worker: the ports, on streams that exist. It can't create, change or delete streams, but for the outs that it keeps. */
export function workerPermissions(config: NatsConfig, { inboxPrefix }: UserOptions): Permissions {
  const { apiPrefix, subjects, streams } = config;
  const journals = config.journals.map(({ name }) => name);
  const all = [...journals, ...Object.values(streams)];
  const consumed = [...journals, streams.snapshots, streams.ticks, streams.deadLetters];
  const on = (verb: string, names: readonly string[], tail = ''): string[] =>
    names.map((stream) => `${apiPrefix}.${verb}.${stream}${tail}`);
  return {
    publish: [
      `${subjects.prefix}.>`,
      '_INBOX.>',
      `${apiPrefix}.INFO`,
      ...on('STREAM.INFO', all),
      ...on('STREAM.MSG.GET', [...consumed, streams.records, streams.parked]),
      ...on('STREAM.MSG.DELETE', [streams.ticks, streams.deadLetters]),
      ...on('STREAM.PURGE', [...journals, streams.records, streams.ticks, streams.parked]),
      ...on('STREAM.CREATE', [streams.outs]),
      ...on('STREAM.UPDATE', [streams.outs]),
      ...on('CONSUMER.CREATE', consumed, '.>'),
      ...on('CONSUMER.DELETE', consumed, '.*'),
      ...on('CONSUMER.MSG.NEXT', consumed, '.*'),
    ],
    subscribe: [`${subjects.prefix}.>`, `${inboxPrefix}.>`, '$SRV.>'],
  };
}

/**
 * The inspector: looks, and changes nothing. It reads entries and snapshots one by one from the leaders; it makes no consumers,
 * since whoever may make one can have the server send stored data to any subject of the account.
 */
export function inspectorPermissions(config: NatsConfig, { inboxPrefix }: UserOptions): Permissions {
  const { apiPrefix, subjects, streams } = config;
  const { prefix } = subjects;
  const all = [...config.journals.map(({ name }) => name), ...Object.values(streams)];
  return {
    publish: [
      subjects.every('query'),
      ...['ping', 'stats', 'list', 'partitions', 'cells', 'structure', 'watch'].flatMap((verb) => [
        `${prefix}.control.${verb}`,
        `${prefix}.control.${verb}.*`,
      ]),
      '$SRV.PING.>',
      '$SRV.INFO.>',
      '$SRV.STATS.>',
      `${apiPrefix}.INFO`,
      ...all.map((stream) => `${apiPrefix}.STREAM.INFO.${stream}`),
      ...all.map((stream) => `${apiPrefix}.STREAM.MSG.GET.${stream}`),
    ],
    subscribe: [
      ...(['out', 'stream', 'inspect', 'dead'] as const).map((verb) => subjects.every(verb)),
      '$JS.EVENT.ADVISORY.>',
      `${inboxPrefix}.>`,
    ],
  };
}

/**
 * The gateway: what a client and the inspector may, on behalf of people, and what its role `operate` offers: draining workers,
 * dead letters, timers. It reads by consumers, so it is trusted like a worker; but it writes no leases and no snapshots.
 */
export function gatewayPermissions(config: NatsConfig, user: UserOptions): Permissions {
  const { apiPrefix, subjects, streams } = config;
  const client = clientPermissions(config, user);
  const inspector = inspectorPermissions(config, user);
  const consumed = [...config.journals.map(({ name }) => name), streams.snapshots, streams.ticks, streams.deadLetters];
  return {
    publish: [
      ...new Set([
        ...client.publish,
        ...inspector.publish,
        `${subjects.prefix}.control.>`,
        subjects.every('event'),
        `${apiPrefix}.STREAM.MSG.DELETE.${streams.deadLetters}`,
        `${apiPrefix}.STREAM.PURGE.${streams.ticks}`,
        ...consumed.map((stream) => `${apiPrefix}.CONSUMER.CREATE.${stream}.>`),
        ...consumed.map((stream) => `${apiPrefix}.CONSUMER.DELETE.${stream}.*`),
        ...consumed.map((stream) => `${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.*`),
      ]),
    ],
    subscribe: [...new Set([...client.subscribe, ...inspector.subscribe])],
  };
}

/**
 * The operator: what the provisioner may, and everything else that is done to Troupe's streams by hand: dead letters,
 * backups, restoring, moving leaders. No other streams, and nothing of the servers themselves, which is the system account's.
 */
export function operatorPermissions(config: NatsConfig, user: UserOptions): Permissions {
  const { apiPrefix } = config;
  const base = provisionerPermissions(config, user);
  const all = [...config.journals.map(({ name }) => name), ...Object.values(config.streams)];
  const verbs = ['DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE', 'LEADER.STEPDOWN', 'PEER.REMOVE', 'MSG.GET', 'MSG.DELETE'];
  return {
    publish: [
      ...new Set([
        ...base.publish,
        `${apiPrefix}.STREAM.NAMES`,
        `${apiPrefix}.STREAM.LIST`,
        ...verbs.flatMap((verb) => all.map((stream) => `${apiPrefix}.STREAM.${verb}.${stream}`)),
        ...all.flatMap((stream) => ['LIST', 'NAMES'].map((verb) => `${apiPrefix}.CONSUMER.${verb}.${stream}`)),
        ...all.map((stream) => `${apiPrefix}.CONSUMER.INFO.${stream}.*`),
        '$JS.SNAPSHOT.>', // the parts of a backup, going up and their acknowledgements
        '$SRV.>',
      ]),
    ],
    subscribe: [...base.subscribe, '$JS.EVENT.ADVISORY.>'],
  };
}

/** Who sets up: what a worker may, and creating and changing the streams. */
export function provisionerPermissions(config: NatsConfig, user: UserOptions): Permissions {
  const { apiPrefix, journals, streams } = config;
  const worker = workerPermissions(config, user);
  const all = [...journals.map(({ name }) => name), ...Object.values(streams)];
  const verbs = ['CREATE', 'UPDATE'].flatMap((verb) => all.map((stream) => `${apiPrefix}.STREAM.${verb}.${stream}`));
  return { ...worker, publish: [...new Set([...worker.publish, ...verbs])] };
}

/** A client of some types (default: of all). Nothing internal, and no JetStream API: a PubAck needs none. */
export function clientPermissions(
  config: NatsConfig,
  { inboxPrefix, types = ['*'] }: UserOptions & { readonly types?: readonly string[] },
): Permissions {
  const { prefix } = config.subjects;
  const of = (verb: string): string[] => types.map((type) => `${prefix}.${verb}.${type}.>`);
  return {
    publish: [...of('task'), ...of('signal'), ...of('ask'), ...of('query')],
    subscribe: [...of('out'), ...of('stream'), `${inboxPrefix}.>`],
  };
}
