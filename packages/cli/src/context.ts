/** What a command runs with: its arguments, its settings, its connections. Everything opened is closed at the end. */
import { dirname } from 'node:path';
import type { Troupe } from '@troupe/client';
import type { OpenPorts } from '@troupe/service-worker';
import {
  findConfigFile,
  type LoadedConfig,
  loadConfig,
  type ResolvedSettings,
  resolveSettings,
  SETTINGS,
} from '@troupe/service-worker/internal';
import { type ActorAddress, parseAddress, TroupeError } from '@troupe/wire';
import type { ParsedArguments } from './arguments.ts';
import type { Io } from './io.ts';
import { findPartitions } from './operator/partitions.ts';
import { Output } from './output/output.ts';
import { usageError } from './usage-error.ts';

/** Settings, and the config file they partly came from. */
export interface Project extends ResolvedSettings {
  readonly loaded: LoadedConfig | undefined;
}

/** Connection attempts of commands that somebody waits for, ms. */
const CONNECT_TIMEOUT_MS = 3_000;

export class CommandContext {
  readonly io: Io;
  readonly out: Output;
  readonly args: readonly string[];
  readonly flags: ParsedArguments['flags'];
  readonly #closers: (() => Promise<unknown>)[] = [];
  #project: Promise<Project> | undefined;
  #client: Promise<Troupe> | undefined;
  #operator: Promise<OpenPorts> | undefined;

  constructor(io: Io, parsed: ParsedArguments) {
    this.io = io;
    this.args = parsed.args;
    this.flags = parsed.flags;
    this.out = new Output(io, parsed.flags.json === true);
  }

  /** The text of a flag; undefined when it wasn't given. */
  text(flag: string): string | undefined {
    const value = this.flags[flag];
    return value === true ? undefined : value;
  }

  /** Whether a switch was given. */
  has(flag: string): boolean {
    return this.flags[flag] !== undefined;
  }

  /** A whole number from 0. @throws TroupeError `Usage` */
  whole(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw usageError(`--${flag} is ${JSON.stringify(text)}: it is a whole number.`);
  }

  /** The address in argument `at`. @throws TroupeError `Usage`, `InvalidType`, `InvalidKey` */
  address(at = 0): ActorAddress {
    const text = this.args[at]!;
    if (!text.includes('/'))
      throw usageError(
        `${JSON.stringify(text)} names no actor: write <type>/<key>, for example ${text || 'support'}/john.`,
      );
    return parseAddress(text);
  }

  /** Settings by flag, environment, config file and default, in this order. */
  project(): Promise<Project> {
    this.#project ??= this.#loadProject();
    return this.#project;
  }

  /** As `project`, for commands that can't do without a config. @throws TroupeError `ConfigInvalid` */
  async requireConfig(what: string): Promise<LoadedConfig> {
    const { loaded } = await this.project();
    if (loaded !== undefined) return loaded;
    throw new TroupeError(
      'ConfigInvalid',
      `There is no troupe.config.ts in ${this.io.cwd} or above, and ${what} needs the definitions. Name it with --config.`,
    );
  }

  /** The connection as a client; made once. @param waitMs How long to try. Default 3,000. */
  client(waitMs = CONNECT_TIMEOUT_MS): Promise<Troupe> {
    this.#client ??= this.#connect(waitMs);
    return this.#client;
  }

  /** The ports, for operators: reads and writes the streams themselves; opened once. */
  operator(): Promise<OpenPorts> {
    this.#operator ??= this.#openPorts();
    return this.#operator;
  }

  async #connect(connectTimeoutMs: number): Promise<Troupe> {
    const { settings } = await this.project();
    const { natsUrl, user, pass, passFile, token, creds, ca, inboxPrefix, prefix } = settings;
    const { connect } = await import('@troupe/client');
    const troupe = await connect({
      url: natsUrl,
      user,
      pass,
      passFile,
      token,
      creds,
      tls: ca === undefined ? undefined : { caFile: ca },
      inboxPrefix,
      prefix,
      name: 'troupe-cli',
      connectTimeoutMs,
    });
    this.onClose(() => troupe.close());
    return troupe;
  }

  async #openPorts(): Promise<OpenPorts> {
    const { settings, loaded } = await this.project();
    const { openPorts } = await import('@troupe/service-worker');
    const base = { config: loaded?.config, name: 'troupe-cli' };
    const probe = await openPorts({ ...base, settings });
    // An open connection would keep the process from ending.
    const partitions = await findPartitions(probe).catch(async (error: unknown) => {
      await probe.ports.close();
      throw error;
    });
    if (partitions === undefined || partitions === settings.partitions) {
      this.onClose(() => probe.ports.close());
      return probe;
    }
    await probe.ports.close();
    const open = await openPorts({ ...base, settings: { ...settings, partitions } });
    this.onClose(() => open.ports.close());
    return open;
  }

  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close().catch(() => undefined);
  }

  async #loadProject(): Promise<Project> {
    const { io } = this;
    const file = findConfigFile(io.cwd, this.text('config') ?? io.env.TROUPE_CONFIG);
    const loaded = file === undefined ? undefined : await loadConfig(file);
    const flags = Object.fromEntries(
      SETTINGS.flatMap(({ flag }) => (flag === undefined ? [] : [[flag, this.text(flag)] as const])),
    );
    const found = loaded === undefined ? {} : { config: loaded.config, configDir: dirname(loaded.file) };
    return { ...resolveSettings({ flags, env: io.env, cwd: io.cwd, ...found }), loaded };
  }
}
