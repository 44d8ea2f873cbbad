/**
 * Which live worker a partition belongs to. Pure: every worker computes the same from the same records, so nobody leads.
 *
 * Sticky and bounded: owners keep what they have up to their share; only what is above it, or has no owner, moves, and goes
 * to workers below theirs, by highest random weight (Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit
 * Rates", 1998). Shares with a bound are the idea of Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded
 * Loads", 2018; to start from who holds what, so that balance is exact and yet nothing moves in vain, that of Kafka's sticky
 * assignor (KIP-54).
 *
 * Invariants
 * 1. The order of the input changes nothing.
 * 2. Among workers that may own everything, shares differ by at most one.
 * 3. From such a state, a worker that joins is the only one that gains, and only what is its share; when one leaves, only what was its own
 *    moves.
 * 4. What was assigned once, assigned again, stays.
 * 5. A partition goes only to a worker that has the code it needs; without any, to nobody.
 */
import { hash53 } from '@troupe/wire';

/** Versions by type. */
export type Code = Readonly<Record<string, number>>;

/** A worker that takes partitions. */
export interface Candidate {
  readonly id: string;
  readonly types: Code;
}

/** What is known of a partition. */
export interface Place {
  /** Who holds it now; absent or unknown for nobody. */
  readonly owner?: string | undefined;
  /** The oldest code that can fold what is in it, by type. Absent: it was never owned. */
  readonly needs?: Code | undefined;
  /** Types whose entries are stored here. Default: all. */
  readonly takes?: ((type: string) => boolean) | undefined;
}

/**
 * @param places by partition, from 0.
 * @returns by partition, the id of the worker that it belongs to, or undefined when no worker may have it.
 * @example assign([{ id: 'a', types }, { id: 'b', types }], [{ owner: 'a' }, { owner: 'a' }]) // one for each
 */
export function assign(candidates: readonly Candidate[], places: readonly Place[]): (string | undefined)[] {
  const workers = [...candidates].sort((a, b) => (a.id < b.id ? -1 : 1));
  const able = new Able(workers);
  const held = new Map<string, number[]>(workers.map(({ id }) => [id, []]));
  const free: number[] = [];
  for (const [partition, place] of places.entries()) {
    const holder = place.owner === undefined ? undefined : held.get(place.owner);
    if (holder !== undefined && able.of(place).has(place.owner!)) holder.push(partition);
    else free.push(partition);
  }
  const shares = sharesOf(places.length, held);
  const owners: (string | undefined)[] = new Array(places.length).fill(undefined);
  const load = new Map<string, number>();
  for (const [id, partitions] of held) {
    partitions.sort((a, b) => weightOf(id, b) - weightOf(id, a) || a - b);
    for (const partition of partitions.slice(0, shares.get(id)!)) owners[partition] = id;
    load.set(id, Math.min(partitions.length, shares.get(id)!));
    free.push(...partitions.slice(shares.get(id)!));
  }
  // Whoever is hardest to place goes first, lest others take its room.
  const order = free.map((partition) => ({ partition, ids: able.of(places[partition]!) }));
  order.sort((a, b) => a.ids.size - b.ids.size || a.partition - b.partition);
  for (const { partition, ids } of order) {
    const owner = roomFor(partition, ids, load, shares) ?? leastLoaded(places[partition]!.owner, ids, load);
    owners[partition] = owner;
    if (owner !== undefined) load.set(owner, load.get(owner)! + 1);
  }
  return owners;
}

/** Whoever holds most has the larger shares, so that nothing moves for them. */
function sharesOf(partitions: number, held: ReadonlyMap<string, readonly number[]>): Map<string, number> {
  const share = Math.floor(partitions / held.size);
  const larger = partitions % held.size;
  const byHolding = [...held].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
  return new Map(byHolding.map(([id], at) => [id, at < larger ? share + 1 : share]));
}

/** The heaviest of those with room. */
function roomFor(
  partition: number,
  ids: ReadonlySet<string>,
  load: ReadonlyMap<string, number>,
  shares: ReadonlyMap<string, number>,
): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const id of ids) {
    const weight = load.get(id)! < shares.get(id)! ? weightOf(id, partition) : -1;
    if (weight > bestWeight) {
      best = id;
      bestWeight = weight;
    }
  }
  return best;
}

/** Everybody who may have it is full: its owner keeps it, unless another has two less. */
function leastLoaded(
  owner: string | undefined,
  ids: ReadonlySet<string>,
  load: ReadonlyMap<string, number>,
): string | undefined {
  let best: string | undefined;
  for (const id of ids) if (best === undefined || load.get(id)! < load.get(best)!) best = id;
  if (owner !== undefined && best !== undefined && ids.has(owner) && load.get(owner)! <= load.get(best)! + 1)
    return owner;
  return best;
}

function weightOf(worker: string, partition: number): number {
  return hash53(`${worker}:${partition}`);
}

/** Who may own a partition, remembered by what it needs. */
class Able {
  readonly #workers: readonly Candidate[];
  readonly #known: ReadonlySet<string>;
  readonly #found = new Map<string, ReadonlySet<string>>();

  constructor(workers: readonly Candidate[]) {
    this.#workers = workers;
    this.#known = new Set(workers.flatMap(({ types }) => Object.keys(types)));
  }

  of({ needs, takes = () => true }: Place): ReadonlySet<string> {
    const types = [...this.#known].filter(takes).sort();
    const wanted = types.filter((type) => needs !== undefined && Object.hasOwn(needs, type));
    const key = `${needs === undefined ? types.join() : ''}|${wanted.map((type) => `${type}:${needs![type]}`).join()}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      // A type that nobody has any more is not waited for.
      const fit = this.#workers.filter((one) => wanted.every((type) => (one.types[type] ?? -1) >= needs![type]!));
      const covers = (one: Candidate): number => types.filter((type) => Object.hasOwn(one.types, type)).length;
      const most = needs === undefined ? Math.max(0, ...fit.map(covers)) : 0;
      found = new Set(fit.filter((one) => covers(one) >= most).map(({ id }) => id));
      this.#found.set(key, found);
    }
    return found;
  }
}

/** What a partition needs once a worker with this code has owned it. */
export function needsAfter(needs: Code | undefined, types: Code, takes: (type: string) => boolean): Code {
  const next: Record<string, number> = { ...needs };
  for (const [type, version] of Object.entries(types))
    if (takes(type)) next[type] = Math.max(version, Object.hasOwn(next, type) ? next[type]! : version);
  return next;
}
