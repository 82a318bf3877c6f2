/** Entries a StringMap keeps in one Map before it deals them out to shards. */
export const STRING_MAP_SPLIT = 16_384;
/** Number of shards, a power of two. */
export const STRING_MAP_SHARDS = 256;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Longer keys are hashed by a sample of about this many characters. */
const HASH_CHARACTERS = 16;

function shardOf(key: string): number {
  const step = ((key.length / HASH_CHARACTERS) | 0) + 1;
  let hash = FNV_OFFSET;
  for (let index = key.length - 1; index >= 0; index -= step) {
    hash = Math.imul(hash ^ key.charCodeAt(index), FNV_PRIME);
  }
  return (hash ^ (hash >>> 15)) & (STRING_MAP_SHARDS - 1);
}

/** Many maps that grow one at a time. */
class ShardedMap<V> {
  readonly shards: readonly Map<string, V>[];
  size: number;

  constructor(from: ReadonlyMap<string, V>) {
    this.shards = Array.from({ length: STRING_MAP_SHARDS }, () => new Map<string, V>());
    for (const [key, value] of from) this.shards[shardOf(key)]!.set(key, value);
    this.size = from.size;
  }

  get(key: string): V | undefined {
    return this.shards[shardOf(key)]!.get(key);
  }

  set(key: string, value: V): void {
    const shard = this.shards[shardOf(key)]!;
    const before = shard.size;
    shard.set(key, value);
    this.size += shard.size - before;
  }

  delete(key: string): boolean {
    if (!this.shards[shardOf(key)]!.delete(key)) return false;
    this.size--;
    return true;
  }
}

/**
 * String keys to values, for one entry as for many millions. One entry lives in two fields, more in a Map. A Map
 * stops the process for about 150 ms when it grows beyond half a million entries and refuses more than 2^24, so above
 * STRING_MAP_SPLIT entries they are dealt out to STRING_MAP_SHARDS maps, each of which grows on its own. The maps'
 * own hash is seeded: keys made to meet in one shard cost no more than in a plain Map.
 *
 * Not limited by itself: its owner's subscriptions and subjects are.
 */
export class StringMap<V> {
  #onlyKey: string | null = null;
  #onlyValue: V | undefined = undefined;
  #rest: Map<string, V> | ShardedMap<V> | null = null;

  get size(): number {
    if (this.#rest !== null) return this.#rest.size;
    return this.#onlyKey === null ? 0 : 1;
  }

  get(key: string): V | undefined {
    if (this.#rest !== null) return this.#rest.get(key);
    return this.#onlyKey === key ? this.#onlyValue : undefined;
  }

  /** The value of the key that `text` has from `start` to `end`; cuts nothing out for a single entry. */
  getPart(text: string, start: number, end: number): V | undefined {
    if (this.#rest !== null) return this.#rest.get(text.slice(start, end));
    const key = this.#onlyKey;
    return key !== null && key.length === end - start && text.startsWith(key, start) ? this.#onlyValue : undefined;
  }

  /** Sets the value of `key`. `undefined` is not a value. */
  set(key: string, value: V): void {
    if (this.#rest !== null) {
      this.#rest.set(key, value);
      if (this.#rest.size > STRING_MAP_SPLIT && this.#rest instanceof Map) this.#rest = new ShardedMap(this.#rest);
    } else if (this.#onlyKey === null) {
      this.#onlyKey = key;
      this.#onlyValue = value;
    } else if (this.#onlyKey === key) {
      this.#onlyValue = value;
    } else {
      this.#rest = new Map([[this.#onlyKey, this.#onlyValue as V]]).set(key, value);
      this.#forgetOnly();
    }
  }

  /** Removes `key`; false if it was not there. The last removal frees everything. */
  delete(key: string): boolean {
    if (this.#rest !== null) {
      if (!this.#rest.delete(key)) return false;
      if (this.#rest.size === 0) this.#rest = null;
      return true;
    }
    if (this.#onlyKey !== key) return false;
    this.#forgetOnly();
    return true;
  }

  /** The key of the entry that lives in no map, or null. */
  get onlyKey(): string | null {
    return this.#onlyKey;
  }

  /** The value of `onlyKey`. */
  get onlyValue(): V | undefined {
    return this.#onlyValue;
  }

  /** The maps all other entries live in. */
  maps(): readonly ReadonlyMap<string, V>[] {
    if (this.#rest === null) return [];
    return this.#rest instanceof Map ? [this.#rest] : this.#rest.shards;
  }

  /** Calls back per value, in any order. The map must not change meanwhile. */
  each(callback: (value: V) => void): void {
    if (this.#onlyKey !== null) callback(this.#onlyValue as V);
    for (const map of this.maps()) {
      for (const value of map.values()) callback(value);
    }
  }

  #forgetOnly(): void {
    this.#onlyKey = null;
    this.#onlyValue = undefined;
  }
}
