/** What a bundle is made of. A part more is an entry here. */
import { open as openFile } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { basename, resolve } from 'node:path';
import { clusterMetrics, MetricsRegistry } from '@troupe/diagnostics';
import type { SecretFilter } from '@troupe/diagnostics/internal';
import type { MakeCapsuleOptions } from '@troupe/inspect';
import type { DeadLetter } from '@troupe/runtime';
import { SETTINGS } from '@troupe/service-worker/internal';
import { type ActorAddress, formatAddress, parseAddress } from '@troupe/wire';
import { doctor } from '../commands/doctor.ts';
import { ownVersion } from '../commands/version.ts';
import { CommandContext } from '../context.ts';
import { letterView } from '../operator/dead-letters.ts';
import { openStates } from '../operator/history.ts';
import { openEntries } from '../operator/journal.ts';
import { readPartitions } from '../operator/partition-views.ts';
import { readAccount, readStream } from '../operator/streams.ts';
import { readWorkers } from '../operator/workers.ts';
import { usageError } from '../usage-error.ts';
import type { Collected, Part } from './bundle.ts';

/** Newest dead letters, unless `--dead` says otherwise. */
export const DEAD_DEFAULT = 200;
export const DEAD_MAX = 10_000;
export const ACTORS_MAX = 20;
/** Newest entries of an actor's history. */
export const ENTRIES_MAX = 5_000;
/** The end of each log file. */
export const LOG_BYTES_MAX = 4 * 1_048_576;
const LOGS_MAX = 10;

/** @throws TroupeError `Usage` for arguments that can't be used. */
export function partsOf(context: CommandContext, secrets: SecretFilter): Part[] {
  return [
    {
      name: 'versions.json',
      what: 'Versions of Troupe, Node and system',
      collect: async () => ({ value: versions() }),
    },
    { name: 'settings.json', what: 'Settings and where they come from', collect: () => settingsOf(context, secrets) },
    {
      name: 'definitions.json',
      what: 'Actor types of the config file',
      absent: 'There is no config file.',
      collect: () => definitionsOf(context),
    },
    { name: 'server.json', what: 'The server and its JetStream', collect: () => serverOf(context) },
    { name: 'streams.json', what: 'Streams, as they are', collect: () => streamsOf(context) },
    {
      name: 'workers.json',
      what: 'Workers, as they answer',
      collect: async () => ({ value: await readWorkers(await context.operator()) }),
    },
    {
      name: 'partitions.json',
      what: 'Partitions, owners, marks',
      collect: async () => ({ value: await readPartitions(await context.operator()) }),
    },
    { name: 'checkpoints.json', what: 'Checkpoints and owner records', collect: () => recordsOf(context) },
    { name: 'doctor.json', what: 'What troupe doctor finds', collect: () => doctorOf(context) },
    { name: 'metrics.txt', what: 'Metrics of workers and partitions', collect: () => metricsOf(context) },
    { name: 'dead-letters.ndjson', what: 'Newest dead letters', collect: () => deadLettersOf(context) },
    ...actorsOf(context).flatMap((address, i) => actorParts(context, secrets, address, i + 1)),
    ...logsOf(context).map((file, i) => logPart(context, file, i + 1)),
  ];
}

function versions(): object {
  return {
    troupe: ownVersion(),
    versions: process.versions,
    system: { platform: platform(), release: release(), arch: arch(), cpus: cpus().length, memoryBytes: totalmem() },
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Passwords and tokens become known to the filter here, so that they are found wherever else they stand. */
async function settingsOf(context: CommandContext, secrets: SecretFilter): Promise<Collected> {
  const { settings, origins, loaded } = await context.project();
  const { pass, token, natsUrl, tracesHeaders } = settings;
  const headers = `${tracesHeaders ?? ''}`.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  secrets.collect({ password: [pass, token, ...headers, ...headers.map(decoded)].filter((one) => one !== '') });
  for (const url of `${natsUrl}`.split(',')) {
    if (!URL.canParse(url)) continue;
    const { username, password } = new URL(url);
    // Without a password the name is a token.
    secrets.collect({
      password: [decoded(password), password, ...(password === '' ? [decoded(username), username] : [])],
    });
  }
  const shown = SETTINGS.map(({ name }) => ({
    name,
    value:
      name === 'pass' || name === 'token' || name === 'tracesHeaders'
        ? settings[name] && '(set)'
        : (settings[name] ?? null),
    from: origins[name],
  }));
  const variables = Object.keys(context.io.env).filter((name) => name.startsWith('TROUPE_'));
  return { value: { file: loaded?.file ?? null, settings: shown, variables: variables.sort() } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function definitionsOf(context: CommandContext): Promise<Collected | undefined> {
  const { loaded } = await context.project();
  if (loaded === undefined) return undefined;
  const actors = loaded.config.actors.map(({ type, version, hash, history, previous, driver }) => ({
    type,
    version,
    hash,
    engine: driver.engine,
    history,
    previous: previous.map((one) => ({ version: one.version, hash: one.hash })),
  }));
  return { value: { actors, partitions: loaded.config.partitions ?? null } };
}

async function serverOf(context: CommandContext): Promise<Collected> {
  const open = await context.operator();
  return { value: { version: open.connection.serverVersion, account: await readAccount(open) } };
}

async function streamsOf(context: CommandContext): Promise<Collected> {
  const open = await context.operator();
  const { outs, ...others } = open.config.streams;
  const names = [...open.config.journals.map(({ name }) => name), ...Object.values(others), outs];
  const found = await Promise.all(names.map(async (name) => [name, (await readStream(open, name)) ?? null] as const));
  return { value: Object.fromEntries(found) };
}

async function recordsOf(context: CommandContext): Promise<Collected> {
  const { records } = (await context.operator()).ports;
  const [owners, checkpoints] = await Promise.all([records.list('partition'), records.list('checkpoint')]);
  return { value: Object.fromEntries([...owners, ...checkpoints]) };
}

/** The command itself, as `troupe doctor --json` would print it now. */
async function doctorOf(context: CommandContext): Promise<Collected> {
  let text = '';
  const sink = { write: (more: string) => (text += more), isTTY: false };
  const io = { ...context.io, stdout: sink, stderr: { write: () => true, isTTY: false } };
  const flags = Object.fromEntries(Object.entries(context.flags).filter(([name]) => name in OPERATOR_FLAGS));
  const own = new CommandContext(io, { args: [], flags: { ...flags, json: true } });
  try {
    const exitCode = await doctor.run(own);
    return {
      value: {
        exitCode: exitCode ?? 0,
        report: text
          .split('\n')
          .filter((line) => line !== '')
          .map(parsed),
      },
    };
  } finally {
    await own.close();
  }
}

/** Flags of the bundle that say where things are. */
const OPERATOR_FLAGS: Readonly<Record<string, true>> = { 'nats-url': true, creds: true, prefix: true, config: true };

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** The same figures that a gateway serves under `/metrics`, asked for through NATS. */
async function metricsOf(context: CommandContext): Promise<Collected> {
  const open = await context.operator();
  const [workers, partitions] = await Promise.all([readWorkers(open), readPartitions(open)]);
  const registry = new MetricsRegistry();
  const alive = new Set(workers.map(({ lease }) => lease.id));
  clusterMetrics(registry).update(
    workers.map(({ lease, stats }) => ({
      id: lease.id,
      answers: stats !== undefined,
      ...(stats === undefined ? {} : { stats: stats as unknown as Record<string, unknown> }),
    })),
    partitions.map(({ position, held, owner, ...one }) => ({
      ...one,
      ownerAlive: owner !== undefined && alive.has(owner),
      ...(position === undefined ? {} : { position }),
      ...(held === undefined ? {} : { held }),
    })),
  );
  return { value: await registry.text() };
}

async function deadLettersOf(context: CommandContext): Promise<Collected> {
  const max = Math.min(context.whole('dead') ?? DEAD_DEFAULT, DEAD_MAX);
  const { ports } = await context.operator();
  const newest: DeadLetter[] = [];
  let total = 0;
  for await (const letter of ports.deadLetters.list({})) {
    total++;
    newest.push(letter);
    if (newest.length > max) newest.shift();
  }
  const value = newest.map((letter) => {
    // Bytes that nobody can read can't be searched for secrets either.
    const { payloadBase64, ...view } = letterView(letter);
    return payloadBase64 === undefined ? view : { ...view, payloadBytes: letter.payload.length };
  });
  return total > max ? { value, cut: `The newest ${max} of ${total}; --dead takes more.` } : { value };
}

/** @throws TroupeError `Usage` */
function actorsOf(context: CommandContext): ActorAddress[] {
  const given = context.text('actor');
  if (given === undefined) return [];
  // A key may have commas; what begins a new address has a type and a slash.
  const actors = given.split(/,(?=[A-Za-z][\w-]*\/)/).map((one) => {
    if (!one.includes('/'))
      throw usageError(`--actor is ${JSON.stringify(one)}: write <type>/<key>, with commas between them.`);
    return parseAddress(one);
  });
  if (actors.length > ACTORS_MAX)
    throw usageError(`--actor takes at most ${ACTORS_MAX} actors, and there are ${actors.length}.`);
  return actors;
}

function actorParts(context: CommandContext, secrets: SecretFilter, address: ActorAddress, n: number): Part[] {
  const actor = formatAddress(address);
  const head = `actors/${n}-${safe(actor)}`;
  return [
    {
      name: `${head}.history.ndjson`,
      what: `Entries of ${actor}`,
      absent: 'It has no entries that are kept.',
      collect: () => historyOf(context, address),
    },
    { name: `${head}.capsule.json`, what: `Capsule of ${actor}`, collect: () => capsuleOf(context, secrets, address) },
  ];
}

function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 50);
}

async function historyOf(context: CommandContext, address: ActorAddress): Promise<Collected | undefined> {
  const journal = await openEntries(context);
  const value: unknown[] = [];
  for await (const { seq, at, body } of journal.entries(address, { last: ENTRIES_MAX }))
    value.push({ seq, at, ...body });
  if (value.length === 0) return undefined;
  return value.length < ENTRIES_MAX ? { value } : { value, cut: `The newest ${ENTRIES_MAX} entries.` };
}

/** Made twice: once to learn its secrets, and once all secrets of the bundle are known. */
async function capsuleOf(context: CommandContext, secrets: SecretFilter, address: ActorAddress): Promise<Collected> {
  const history = await openStates(context, 'a capsule');
  const { makeCapsule } = await import('@troupe/inspect');
  const make = async (redact: MakeCapsuleOptions['redact']) =>
    (await makeCapsule(history, history.of(address), { redact, entriesMax: ENTRIES_MAX })).capsule;
  await make({ collect: (value) => secrets.collect(value), apply: (value) => value, count: 0 });
  return { value: undefined, clean: () => make(secrets) };
}

/** @throws TroupeError `Usage` */
function logsOf(context: CommandContext): string[] {
  const files = (context.text('log') ?? '').split(',').filter((file) => file !== '');
  if (files.length > LOGS_MAX)
    throw usageError(`--log takes at most ${LOGS_MAX} files, and there are ${files.length}.`);
  return files;
}

function logPart(context: CommandContext, given: string, n: number): Part {
  const file = resolve(context.io.cwd, given);
  return { name: `logs/${n}-${safe(basename(given))}.ndjson`, what: `End of ${given}`, collect: () => logOf(file) };
}

/** Lines that are JSON are taken as values, so that fields with secret names are found. */
async function logOf(file: string): Promise<Collected> {
  const handle = await openFile(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, LOG_BYTES_MAX);
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, size - length);
    const lines = bytes.subarray(0, bytesRead).toString('utf8').split('\n');
    // A first line that was cut off may begin inside of a secret.
    if (size > length) lines.shift();
    const value = lines.filter((line) => line !== '').map(parsed);
    return size > length ? { value, cut: `The last ${length} of ${size} bytes.` } : { value };
  } finally {
    await handle.close();
  }
}
