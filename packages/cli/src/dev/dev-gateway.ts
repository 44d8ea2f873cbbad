/**
 * The gateway beside `troupe dev`, with the inspector's page: a thread of this process, since only a new thread has new code.
 *
 * Invariants
 * 1. Code that can't be loaded never replaces a gateway that runs.
 * 2. Over a reload it stays on its port, so that an open page finds it again.
 * 3. Nothing waits for a thread longer than `LOAD_MS`, nor for its end longer than `CLOSE_MS`; then it is ended.
 */
import { Worker } from 'node:worker_threads';
import type { Settings } from '@troupe/service-worker/internal';
import { TroupeError } from '@troupe/wire';
import type { GatewayThreadData, ToGateway, ToSession } from './gateway-messages.ts';

/** Loading code and connecting, on a machine that is busy. */
const LOAD_MS = 60_000;
const CLOSE_MS = 5_000;
/** Ports after the usual one that are tried; then any free one. */
const NEXT_PORTS = 20;

export interface DevGatewayOptions {
  /** With the address of the server that dev uses. */
  readonly settings: Settings;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether somebody said where it listens: then there or nowhere. */
  readonly chosen: boolean;
  /** It ended though nobody asked it to. */
  onEnd(why: string): void;
}

type Listening = Extract<ToSession, { readonly kind: 'listening' }>;

export class DevGateway {
  readonly #options: DevGatewayOptions;
  readonly #pageDir: string;
  #thread: GatewayThread | undefined;
  #place: Listening | undefined;

  private constructor(options: DevGatewayOptions, pageDir: string) {
    this.#options = options;
    this.#pageDir = pageDir;
  }

  /** @throws TroupeError `ConfigInvalid` when it can't listen or load; `Timeout` */
  static async start(options: DevGatewayOptions): Promise<DevGateway> {
    const { inspectorPage } = await import('@troupe/service-inspector');
    const { dir } = await inspectorPage();
    const gateway = new DevGateway(options, dir);
    await gateway.#replace();
    return gateway;
  }

  get url(): string {
    return this.#place!.url;
  }

  get needsToken(): boolean {
    return this.#place!.needsToken;
  }

  /** The port that was asked for, where another one had to be taken. */
  get portTaken(): number | undefined {
    const wanted = Number(this.#options.settings.listen.split(':').at(-1));
    return wanted === 0 || wanted === this.#place!.port ? undefined : wanted;
  }

  /** Takes the code as it is now. @throws TroupeError as `start`; then what was there before still runs, if it did. */
  reload(): Promise<void> {
    return this.#replace();
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  async #replace(): Promise<void> {
    const { settings, configFile, env, chosen, onEnd } = this.#options;
    const thread = new GatewayThread({ settings, configFile, env, pageDir: this.#pageDir }, (why) => {
      if (this.#thread === thread) onEnd(why);
    });
    try {
      await thread.answer('loaded'); // Invariant 1.
      const before = this.#place;
      await this.#thread?.close();
      const host = settings.listen.slice(0, settings.listen.lastIndexOf(':'));
      const listen = before === undefined ? settings.listen : `${host}:${before.port}`; // Invariant 2.
      thread.tell({ kind: 'listen', listen, nextPorts: chosen ? 0 : NEXT_PORTS });
      this.#place = (await thread.answer('listening')) as Listening;
      this.#thread = thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }
}

/** One thread, from its start to its end. */
class GatewayThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #closing = false;

  constructor(data: GatewayThreadData, onEnd: (why: string) => void) {
    // Flags of the process, a debugger's among them, are not the thread's.
    this.#worker = new Worker(new URL('./gateway-thread.ts', import.meta.url), { workerData: data, execArgv: [] });
    let why = 'it ended by itself';
    this.#worker.on('error', (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on('message', (message: ToSession) => {
      if (message.kind === 'failed') why = message.message;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        if (!this.#closing) onEnd(why);
        resolve();
      });
    });
  }

  tell(message: ToGateway): void {
    this.#worker.postMessage(message);
  }

  /** Waits for a message of this kind. Invariant 3. */
  answer(kind: ToSession['kind']): Promise<ToSession> {
    const { promise, resolve, reject } = Promise.withResolvers<ToSession>();
    const onMessage = (message: ToSession): void => {
      if (message.kind === kind) resolve(message);
      else if (message.kind === 'failed') reject(new TroupeError(message.code, message.message));
    };
    const onExit = (): void => reject(new TroupeError('ConfigInvalid', 'The gateway ended before it was ready.'));
    const late = new TroupeError('Timeout', `The gateway was not ${kind} within ${LOAD_MS / 1_000} s.`);
    const timer = setTimeout(() => reject(late), LOAD_MS);
    this.#worker.on('message', onMessage).once('exit', onExit).once('error', reject);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#worker.off('message', onMessage).off('exit', onExit).off('error', reject);
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.tell({ kind: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
