/** All actors, and which of them are shown in what order. */
import type { ActorRow } from '../../src/live-protocol.ts';
import { stateText } from '../text.ts';
import type { LiveSocket } from './live-socket.ts';
import { Store } from './store.ts';

export type Column = 'actor' | 'state' | 'turn' | 'waiting' | 'errors' | 'at';

export interface Filter {
  readonly text: string;
  /** '' for every type. */
  readonly type: string;
  readonly only: 'all' | 'busy' | 'errors';
}

/** The order is kept while rows change under the reader's eyes: it is renewed at most so often, ms. */
const SORT_EVERY_MS = 1_000;

export class ActorList extends Store {
  readonly #rows = new Map<string, ActorRow>();
  #shown: readonly string[] = [];
  #filter: Filter = { text: '', type: '', only: 'all' };
  #sort: { readonly by: Column; readonly down: boolean } = { by: 'at', down: true };
  #sortedAt = 0;
  #stale = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loaded = false;

  constructor(socket: LiveSocket) {
    super();
    socket.onPush((push) => {
      if (push.push !== 'actors') return;
      if (push.whole) this.#rows.clear();
      this.#loaded = true;
      for (const row of push.rows) this.#rows.set(row.actor, row);
      for (const actor of push.gone) this.#rows.delete(actor);
      this.#touch(push.whole === true || push.gone.length > 0);
    });
    socket.onOpen(() => void socket.ask('watchActors', {}).catch(() => undefined));
  }

  get size(): number {
    return this.#rows.size;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  get filter(): Filter {
    return this.#filter;
  }

  get sort(): { readonly by: Column; readonly down: boolean } {
    return this.#sort;
  }

  get types(): readonly string[] {
    return [...new Set([...this.#rows.values()].map((row) => row.type))].sort();
  }

  /** What is shown, in order. */
  get shown(): readonly string[] {
    if (this.#stale) this.#renew();
    return this.#shown;
  }

  row(actor: string): ActorRow | undefined {
    return this.#rows.get(actor);
  }

  setFilter(filter: Partial<Filter>): void {
    this.#filter = { ...this.#filter, ...filter };
    this.#touch(true);
  }

  sortBy(by: Column): void {
    this.#sort = { by, down: this.#sort.by === by ? !this.#sort.down : by !== 'actor' && by !== 'state' };
    this.#touch(true);
  }

  #touch(now: boolean): void {
    const waitMs = now ? 0 : this.#sortedAt + SORT_EVERY_MS - performance.now();
    if (waitMs <= 0) this.#stale = true;
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#touch(true);
      }, waitMs);
    this.changed();
  }

  #renew(): void {
    this.#stale = false;
    this.#sortedAt = performance.now();
    const { by, down } = this.#sort;
    const text = this.#filter.text.toLowerCase();
    const rows = [...this.#rows.values()].filter((row) => this.#matches(row, text));
    const keys = new Map(rows.map((row) => [row, SORT_KEYS[by](row)]));
    rows.sort((a, b) => compare(keys.get(a)!, keys.get(b)!) * (down ? -1 : 1) || compare(a.actor, b.actor));
    this.#shown = rows.map((row) => row.actor);
  }

  #matches(row: ActorRow, text: string): boolean {
    const { type, only } = this.#filter;
    if (type !== '' && row.type !== type) return false;
    if (only === 'errors' && row.errors === 0 && row.status !== 'suspended' && row.status !== 'error') return false;
    if (only === 'busy' && row.turnSince === undefined && !row.waiting && !row.running) return false;
    return text === '' || row.actor.toLowerCase().includes(text) || stateText(row.value).toLowerCase().includes(text);
  }
}

const SORT_KEYS: Readonly<Record<Column, (row: ActorRow) => string | number>> = {
  actor: (row) => row.actor,
  state: (row) => stateText(row.value),
  turn: (row) => row.turnSince ?? 0,
  waiting: (row) => (row.waiting ?? 0) + (row.running ?? 0) / 1_000,
  errors: (row) => row.errors,
  at: (row) => row.at ?? 0,
};

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
