/**
 * `node --env-file=DIR/users/operator.env infra/streams.ts provision|backup|restore`: what an operator does to Troupe's
 * streams. See README.md.
 */
import { parseArgs } from 'node:util';
import {
  backupStreams,
  type Connection,
  connectNats,
  type NatsConfig,
  provision,
  resolveConfig,
  restoreStreams,
} from '@troupe/nats';

const USAGE = `node --env-file=DIR/users/operator.env infra/streams.ts COMMAND

  provision        make the streams, or check them; as often as wanted
  backup FOLDER    copy every stream into FOLDER, while everything runs
  restore FOLDER   bring the copies back; the streams must not exist, and no worker may run

Where, as whom and how many copies of each stream comes from the environment: the variables that infra/generate.ts wrote.
`;

async function run(command: string | undefined, folder: string | undefined): Promise<void> {
  const work = WORK[command ?? ''];
  if (work === undefined || (command !== 'provision' && folder === undefined)) throw new Error(USAGE);
  const { env } = process;
  const connection = await connectNats({
    servers: env.TROUPE_NATS_URL ?? 'nats://127.0.0.1:4222',
    name: `troupe ${command}`,
    waitMs: 30_000,
    ...(env.TROUPE_NATS_USER ? { user: env.TROUPE_NATS_USER } : {}),
    ...(env.TROUPE_NATS_PASS_FILE ? { passFile: env.TROUPE_NATS_PASS_FILE } : {}),
    ...(env.TROUPE_NATS_INBOX_PREFIX ? { inboxPrefix: env.TROUPE_NATS_INBOX_PREFIX } : {}),
    ...(env.TROUPE_NATS_CA ? { tls: { caFile: env.TROUPE_NATS_CA } } : {}),
  });
  try {
    const config = resolveConfig({
      replicas: Number(env.TROUPE_REPLICAS || 1),
      partitions: Number(env.TROUPE_PARTITIONS || 64),
      journalStreams: Number(env.TROUPE_JOURNAL_STREAMS || 1),
      ...(env.TROUPE_PREFIX ? { prefix: env.TROUPE_PREFIX } : {}),
    });
    await work(connection, config, folder ?? '');
  } finally {
    await connection.close();
  }
}

const WORK: Readonly<Record<string, (connection: Connection, config: NatsConfig, folder: string) => Promise<void>>> = {
  provision: async (connection, config) => {
    await provision(connection, config, say);
    say('the streams are as they should be');
  },
  backup: async (connection, config, folder) => {
    for (const { stream, messages, bytes } of await backupStreams(connection, config, folder)) {
      say(`${stream}: ${messages} messages, ${bytes} bytes`);
    }
  },
  restore: async (connection, config, folder) => {
    for (const { stream, messages } of await restoreStreams(connection, config, folder)) {
      say(`${stream}: ${messages} messages`);
    }
  },
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  await run(positionals[0], positionals[1]);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
