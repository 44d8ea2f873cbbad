/**
 * A map that is never changed in place: `with` and `without` return another one, and the old one
 * stays valid. Small maps are copied whole; larger ones are split into buckets, so that a change
 * costs a sixty-fourth of the size. Iteration order is not meaningful: sort where order matters.
 *
 * @example
 * const one = PersistentMap.empty<number>().with('a', 1);
 * const two = one.with('b', 2);
 * one.size; // 1
 */
const BUCKETS = 64;
const SMALL_MAX = 64;

export class PersistentMap<V> {
  static readonly #empty = new PersistentMap<never>([new Map<string, never>()], 0);
  readonly size: number;
  readonly #buckets: readonly ReadonlyMap<string, V>[];

  private constructor(buckets: readonly ReadonlyMap<string, V>[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return PersistentMap.#empty as PersistentMap<V>;
  }

  static from<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    const map = new Map(entries);
    if (map.size === 0) return PersistentMap.empty<V>();
    if (map.size <= SMALL_MAX) return new PersistentMap<V>([map], map.size);
    return new PersistentMap<V>(split(map), map.size);
  }

  get(key: string): V | undefined {
    return this.#bucketOf(key).get(key);
  }

  has(key: string): boolean {
    return this.#bucketOf(key).has(key);
  }

  with(key: string, value: V): PersistentMap<V> {
    const index = this.#indexOf(key);
    const bucket = new Map(this.#buckets[index]);
    const size = this.size + (bucket.has(key) ? 0 : 1);
    bucket.set(key, value);
    if (this.#buckets.length === 1) {
      return new PersistentMap<V>(size > SMALL_MAX ? split(bucket) : [bucket], size);
    }
    const buckets = this.#buckets.slice();
    buckets[index] = bucket;
    return new PersistentMap<V>(buckets, size);
  }

  without(key: string): PersistentMap<V> {
    const index = this.#indexOf(key);
    const current = this.#buckets[index]!;
    if (!current.has(key)) return this;
    if (this.size === 1) return PersistentMap.empty<V>();
    const bucket = new Map(current);
    bucket.delete(key);
    const buckets = this.#buckets.slice();
    buckets[index] = bucket;
    return new PersistentMap<V>(buckets, this.size - 1);
  }

  *entries(): IterableIterator<[string, V]> {
    for (const bucket of this.#buckets) yield* bucket.entries();
  }

  *values(): IterableIterator<V> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  #indexOf(key: string): number {
    return this.#buckets.length === 1 ? 0 : bucketIndex(key);
  }

  #bucketOf(key: string): ReadonlyMap<string, V> {
    return this.#buckets[this.#indexOf(key)]!;
  }
}

function bucketIndex(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & (BUCKETS - 1);
}

function split<V>(map: ReadonlyMap<string, V>): Map<string, V>[] {
  const buckets = Array.from({ length: BUCKETS }, () => new Map<string, V>());
  for (const [key, value] of map) buckets[bucketIndex(key)]!.set(key, value);
  return buckets;
}
