/**
 * One page's connection.
 *
 * Invariants
 * 1. At most `REQUESTS_MAX` questions are being answered; a further one is refused with `Busy`.
 * 2. What is pushed is collected for `PUSH_EVERY_MS`. While more than `BUFFERED_BYTES_MAX` wait for a slow page, steps are left
 *    out and that is said (`gap`), so that it reads them from the history; rows of actors wait.
 * 3. Whatever comes in, the gateway goes on: a frame that can't be read is answered or ends the connection.
 */
import type {
  ActorRow,
  LiveAnswer,
  LiveEffect,
  LiveError,
  LiveOp,
  LivePush,
  LiveStep,
} from '@troupe/service-inspector';
import { isTroupeError, TroupeError } from '@troupe/wire';
import type { WebSocket } from 'ws';
import type { Principal } from '../auth/role.ts';
import type { ActorIndex } from './actor-index.ts';
import type { Ops, PlainOp } from './live-ops.ts';
import type { HubEvent, StepHub } from './step-hub.ts';

const REQUESTS_MAX = 32;
const PUSH_EVERY_MS = 16;
const BUFFERED_BYTES_MAX = 4 * 1_048_576;
/** Actors that one page may follow. */
const WATCHED_MAX = 16;
/** Steps collected for one actor; beyond, they are left out. */
const COLLECTED_MAX = 2_000;

interface Collected {
  steps: LiveStep[];
  effects: LiveEffect[];
  gap: boolean;
}

export interface LiveServices {
  readonly ops: Ops;
  readonly index: ActorIndex;
  readonly hub: StepHub;
}

export class LiveConnection {
  readonly #socket: WebSocket;
  readonly #principal: Principal;
  readonly #services: LiveServices;
  readonly #watched = new Map<string, () => void>();
  readonly #collected = new Map<string, Collected>();
  #stopActors: (() => void) | undefined;
  #actorRows = new Map<string, ActorRow>();
  #wholeActors = false;
  #requests = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, principal: Principal, services: LiveServices) {
    this.#socket = socket;
    this.#principal = principal;
    this.#services = services;
    socket.on('message', (data, binary) => this.#receive(binary ? undefined : String(data)));
    socket.on('close', () => this.#end());
    // What is wrong with a socket closes it, and that is dealt with.
    socket.on('error', () => undefined);
  }

  #receive(text: string | undefined): void {
    const { id, op, args } = readFrame(text);
    if (typeof id !== 'number' || typeof op !== 'string') {
      this.#socket.close(1_003, 'a frame is JSON: { id, op, args }');
      return;
    }
    void this.#answer(id, op as LiveOp, args);
  }

  async #answer(id: number, op: LiveOp, args: unknown): Promise<void> {
    if (this.#requests >= REQUESTS_MAX) {
      this.#send({ id, ok: false, error: { code: 'Busy', message: `${REQUESTS_MAX} questions are open already.` } });
      return;
    }
    this.#requests++;
    try {
      const given = typeof args === 'object' && args !== null ? args : {};
      this.#send({ id, ok: true, value: (await this.#perform(op, given as never)) ?? null });
    } catch (error) {
      this.#send({ id, ok: false, error: errorOf(error) });
    } finally {
      this.#requests--;
    }
  }

  #perform(op: LiveOp, args: never): unknown {
    if (op === 'watchActors') return this.#watchActors();
    if (op === 'watchActor') return this.#watchActor(args);
    const { ops } = this.#services;
    if (!Object.hasOwn(ops, op)) {
      throw new TroupeError('InvalidPayload', `There is no question '${String(op).slice(0, 40)}'.`);
    }
    return ops[op as PlainOp](args, this.#principal);
  }

  #watchActors(): null {
    this.#stopActors ??= this.#services.index.subscribe(({ rows, whole }) => {
      if (whole) {
        this.#actorRows.clear();
        this.#wholeActors = true;
      }
      for (const row of rows) this.#actorRows.set(row.actor, row);
      this.#soon();
    });
    return null;
  }

  #watchActor({ actor, on }: { readonly actor?: unknown; readonly on?: unknown }): null {
    if (typeof actor !== 'string')
      throw new TroupeError('InvalidPayload', 'The argument actor has to be <type>/<key>.');
    const stop = this.#watched.get(actor);
    if (on !== true) {
      stop?.();
      this.#watched.delete(actor);
      this.#collected.delete(actor);
    } else if (stop === undefined) {
      if (this.#watched.size >= WATCHED_MAX)
        throw new TroupeError('Busy', `A page follows at most ${WATCHED_MAX} actors at once.`);
      this.#watched.set(
        actor,
        this.#services.hub.subscribe(actor, (event) => this.#collect(event)),
      );
    }
    return null;
  }

  #collect(event: HubEvent): void {
    let collected = this.#collected.get(event.actor);
    if (collected === undefined) {
      collected = { steps: [], effects: [], gap: false };
      this.#collected.set(event.actor, collected);
    }
    if (event.kind === 'gap') collected.gap = true;
    else if (collected.steps.length + collected.effects.length >= COLLECTED_MAX) collected.gap = true;
    else if (event.kind === 'effect') collected.effects.push(event.effect);
    else {
      collected.steps.push(event.step);
      collected.gap ||= event.gap;
    }
    this.#soon();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#push(), PUSH_EVERY_MS);
  }

  /** Invariant 2. */
  #push(): void {
    this.#timer = undefined;
    if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX) {
      for (const collected of this.#collected.values()) Object.assign(collected, { steps: [], effects: [], gap: true });
      this.#soon();
      return;
    }
    for (const [actor, { steps, effects, gap }] of this.#collected)
      this.#send({ push: 'steps', actor, steps, effects, gap });
    this.#collected.clear();
    if (this.#actorRows.size === 0 && !this.#wholeActors) return;
    const rows = [...this.#actorRows.values()];
    this.#send({ push: 'actors', rows, gone: [], ...(this.#wholeActors ? { whole: true } : {}) });
    this.#actorRows = new Map();
    this.#wholeActors = false;
  }

  #send(frame: LiveAnswer | LivePush): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(frame, forJson));
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#stopActors?.();
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
    this.#collected.clear();
  }
}

interface Frame {
  readonly id?: unknown;
  readonly op?: unknown;
  readonly args?: unknown;
}

/** Without any field when it is no JSON object. */
function readFrame(text: string | undefined): Frame {
  try {
    const frame = JSON.parse(text ?? '') as Frame | null;
    return typeof frame === 'object' && frame !== null ? frame : {};
  } catch {
    return {};
  }
}

/** What JSON can't hold is shown as text. */
function forJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), item]));
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  return value;
}

function errorOf(error: unknown): LiveError {
  if (isTroupeError(error)) return { code: error.code, message: error.message };
  return { code: 'Internal', message: error instanceof Error ? error.message : String(error) };
}
