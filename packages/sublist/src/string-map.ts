/** Entries a StringMap keeps in one Map before it deals them out to shards. */
export const STRING_MAP_SPLIT = 16_384;
/** Number of shards, a power of two. */
export const STRING_MAP_SHARDS = 256;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Longer keys are hashed by a sample of about this many characters. */
const HASH_CHARACTERS = 32;

function shardOf(key: string): number {
  const step = ((key.length / HASH_CHARACTERS) | 0) + 1;
  let hash = FNV_OFFSET;
  for (let index = key.length - 1; index >= 0; index -= step) {
    hash = Math.imul(hash ^ key.charCodeAt(index), FNV_PRIME);
  }
  return (hash ^ (hash >>> 15)) & (STRING_MAP_SHARDS - 1);
}

/**
 * String keys to values, for one entry as for many millions. One entry lives in two fields, more in a Map. A Map
 * stops the process for about 150 ms when it grows beyond half a million entries and refuses more than 2^24, so above
 * STRING_MAP_SPLIT entries they are dealt out to STRING_MAP_SHARDS maps, each of which grows on its own.
 *
 * Not limited by itself: its owner's subscriptions and subjects are.
 */
export class StringMap<V> {
  #size = 0;
  #key = '';
  #value: V | undefined;
  #map: Map<string, V> | null = null;
  #shards: Map<string, V>[] | null = null;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    if (this.#map !== null) return this.#map.get(key);
    if (this.#shards !== null) return this.#shards[shardOf(key)]!.get(key);
    return this.#size === 1 && this.#key === key ? this.#value : undefined;
  }

  /** Sets the value of `key`. `undefined` is not a value. */
  set(key: string, value: V): void {
    if (this.#map !== null) {
      this.#map.set(key, value);
      this.#size = this.#map.size;
      if (this.#size > STRING_MAP_SPLIT) this.#split(this.#map);
    } else if (this.#shards !== null) {
      const shard = this.#shards[shardOf(key)]!;
      const before = shard.size;
      shard.set(key, value);
      this.#size += shard.size - before;
    } else if (this.#size === 0) {
      this.#key = key;
      this.#value = value;
      this.#size = 1;
    } else if (this.#key === key) {
      this.#value = value;
    } else {
      this.#map = new Map<string, V>([[this.#key, this.#value as V]]).set(key, value);
      this.#size = 2;
      this.#forgetSingle();
    }
  }

  /** Removes `key`; false if it was not there. The last removal frees everything. */
  delete(key: string): boolean {
    if (this.#map !== null) {
      if (!this.#map.delete(key)) return false;
    } else if (this.#shards !== null) {
      if (!this.#shards[shardOf(key)]!.delete(key)) return false;
    } else if (this.#size === 0 || this.#key !== key) {
      return false;
    }
    this.#size--;
    if (this.#size === 0) this.clear();
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#map = null;
    this.#shards = null;
    this.#forgetSingle();
  }

  /** The entries, in any order. Removing the present one or adding others meanwhile does no harm. */
  entries(): Iterator<readonly [string, V]> {
    if (this.#map !== null) return this.#map.entries();
    if (this.#shards !== null) return entriesOf(this.#shards);
    const single: (readonly [string, V])[] = this.#size === 0 ? [] : [[this.#key, this.#value as V]];
    return single.values();
  }

  /** Calls back per value, in any order. The map must not change meanwhile. */
  each(callback: (value: V) => void): void {
    if (this.#map !== null) this.#map.forEach(callback);
    else if (this.#shards !== null) for (const shard of this.#shards) shard.forEach(callback);
    else if (this.#size === 1) callback(this.#value as V);
  }

  #forgetSingle(): void {
    this.#key = '';
    this.#value = undefined;
  }

  #split(map: Map<string, V>): void {
    const shards = Array.from({ length: STRING_MAP_SHARDS }, () => new Map<string, V>());
    for (const [key, value] of map) shards[shardOf(key)]!.set(key, value);
    this.#shards = shards;
    this.#map = null;
  }
}

function* entriesOf<V>(shards: readonly Map<string, V>[]): Generator<readonly [string, V], undefined> {
  for (const shard of shards) yield* shard;
}
