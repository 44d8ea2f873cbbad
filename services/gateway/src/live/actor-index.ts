/**
 * The list of all actors, kept while somebody looks at it: addresses from the snapshots, the rest from the workers that have
 * them in memory, asked again and again for what changed.
 *
 * Invariants
 * 1. While nobody looks, nothing is asked. Looking costs workers no observation: only what changed since the last round.
 * 2. A row never goes back: what a worker tells with a lower sequence than is known is old.
 * 3. At most `ACTORS_MAX` rows; what is beyond them is not listed.
 */
import type { ActorRow } from '@troupe/service-inspector';
import { decodeKey, formatAddress } from '@troupe/wire';
import { readLeases } from '../cluster-view.ts';
import type { GatewayContext } from '../context.ts';

/** How often workers are asked what changed, ms. */
const EVERY_MS = 250;
/** Every so many rounds everything is asked for again: what is suspended, and what was missed. */
const WHOLE_EVERY = 120;
const ANSWER_MS = 2_000;
const ACTORS_MAX = 100_000;
/** Rows of one message to a page. */
const ROWS_MAX = 1_000;
/** Dead letters counted at the start. */
const LETTERS_MAX = 10_000;

export interface ActorsChange {
  readonly rows: readonly ActorRow[];
  readonly whole: boolean;
}

interface CellRow extends Omit<ActorRow, 'type' | 'key' | 'errors'> {
  readonly seq: number;
  readonly failures: number;
}

interface CellPage {
  readonly rows: readonly CellRow[];
  readonly more: boolean;
}

type Listener = (change: ActorsChange) => void;

export class ActorIndex {
  readonly #context: GatewayContext;
  readonly #rows = new Map<string, ActorRow>();
  readonly #letters = new Map<string, { count: number; last: string }>();
  readonly #listeners = new Set<Listener>();
  /** By worker: up to which sequence it has told. */
  readonly #told = new Map<string, number>();
  #changed = new Set<string>();
  #running: AbortController | undefined;
  #ready = false;

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  /** Tells of the whole list as soon as it is known, then of every change. @returns how to stop. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#ready) this.#tell([...this.#rows.values()], true, [listener]);
    this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    const dead = this.#watchDeadLetters();
    running.signal.addEventListener('abort', () => dead.close());
    void this.#run(running.signal);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#ready = false;
    this.#rows.clear();
    this.#letters.clear();
    this.#told.clear();
    this.#changed.clear();
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#attempt(() => this.#readDeadLetters(signal));
    await this.#attempt(() => this.#readStored(signal));
    for (let round = 0; !signal.aborted; round++) {
      if (round % WHOLE_EVERY === 0) this.#told.clear();
      if (round % WHOLE_EVERY === WHOLE_EVERY - 1) await this.#attempt(() => this.#readStored(signal));
      await this.#attempt(() => this.#askWorkers(signal));
      if (signal.aborted) return;
      this.#publish();
      await pause(EVERY_MS, signal);
    }
  }

  /** A round that fails is followed by the next one. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#context.log.debug({ error: String(error) }, 'the list of actors could not be read; it is tried again');
    }
  }

  /** Whoever has a snapshot, in memory or not. */
  async #readStored(signal: AbortSignal): Promise<void> {
    for await (const { address } of this.#context.ports.snapshots.list({})) {
      if (signal.aborted || this.#rows.size >= ACTORS_MAX) return;
      const actor = formatAddress(address);
      if (!this.#rows.has(actor)) this.#set({ actor, ...address, errors: this.#letters.get(actor)?.count ?? 0 });
    }
  }

  async #askWorkers(signal: AbortSignal): Promise<void> {
    const leases = await readLeases(this.#context);
    await Promise.all(leases.map(({ id }) => this.#askWorker(id, signal)));
  }

  async #askWorker(worker: string, signal: AbortSignal): Promise<void> {
    const { ports, subjects } = this.#context;
    for (;;) {
      const afterSeq = this.#told.get(worker) ?? 0;
      const payload = new TextEncoder().encode(JSON.stringify({ afterSeq }));
      const subject = subjects.control('cells', worker);
      const answer = await ports.bus.request(subject, payload, { timeoutMs: ANSWER_MS }).catch(() => undefined);
      if (answer === undefined || signal.aborted) return;
      const { rows = [], more = false } = JSON.parse(new TextDecoder().decode(answer.payload)) as Partial<CellPage>;
      for (const row of rows) this.#take(row);
      const last = rows.at(-1)?.seq ?? afterSeq;
      this.#told.set(worker, last);
      if (!more || last <= afterSeq) return;
    }
  }

  #take({ failures, ...row }: CellRow): void {
    const { actor } = row;
    const known = this.#rows.get(actor);
    if (known?.seq !== undefined && known.seq > row.seq) return;
    if (known === undefined && this.#rows.size >= ACTORS_MAX) return;
    const slash = actor.indexOf('/');
    const letters = this.#letters.get(actor);
    const next: ActorRow = {
      ...row,
      type: actor.slice(0, slash),
      key: actor.slice(slash + 1),
      errors: failures + (letters?.count ?? 0),
      lastError: letters?.last,
    };
    if (known?.seq !== row.seq || known.status !== row.status || known.running !== row.running) this.#set(next);
  }

  #set(row: ActorRow): void {
    this.#rows.set(row.actor, row);
    this.#changed.add(row.actor);
  }

  async #readDeadLetters(signal: AbortSignal): Promise<void> {
    let read = 0;
    for await (const { address, code, message } of this.#context.ports.deadLetters.list({})) {
      if (signal.aborted || ++read > LETTERS_MAX) return;
      this.#countLetter(formatAddress(address), `${code}: ${message}`);
    }
  }

  #watchDeadLetters(): { close(): void } {
    const { ports, subjects } = this.#context;
    return ports.bus.subscribe(`${subjects.prefix}.dead.>`, {}, ({ subject, header }) => {
      const [type = '', key = ''] = subject
        .slice(subjects.prefix.length + 1)
        .split('.')
        .slice(1);
      try {
        const actor = `${type}/${decodeKey(key)}`;
        const { count } = this.#countLetter(actor, header('Nats-Service-Error') ?? 'a dead letter');
        const row = this.#rows.get(actor);
        if (row !== undefined) this.#set({ ...row, errors: Math.max(row.errors + 1, count) });
      } catch {
        // Of nobody: a subject that names no actor.
      }
    });
  }

  #countLetter(actor: string, last: string): { count: number } {
    const letters = this.#letters.get(actor) ?? { count: 0, last };
    letters.count++;
    letters.last = last.slice(0, 300);
    this.#letters.set(actor, letters);
    return letters;
  }

  #publish(): void {
    const whole = !this.#ready;
    this.#ready = true;
    if (!whole && this.#changed.size === 0) return;
    const rows = whole ? [...this.#rows.values()] : [...this.#changed].map((actor) => this.#rows.get(actor)!);
    this.#changed.clear();
    this.#tell(rows, whole, [...this.#listeners]);
  }

  #tell(rows: readonly ActorRow[], whole: boolean, listeners: readonly Listener[]): void {
    for (let at = 0; at === 0 || at < rows.length; at += ROWS_MAX) {
      const change = { rows: rows.slice(at, at + ROWS_MAX), whole: whole && at === 0 };
      for (const listener of listeners) listener(change);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
