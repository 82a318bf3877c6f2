/** A change in a bucket. */
export interface BucketEvent {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Empty for deletes. */
  readonly value: Uint8Array;
  /** Of an entry that was there already: how long ago it was put, milliseconds. Absent = just now. */
  readonly ageMs?: number;
}

/** A running watch. */
export interface BucketWatch {
  /** Ends it; a second call does nothing. */
  stop(): void;
}

/**
 * The key-value bucket a registry stands on: a JetStream bucket in this process or on a remote server, or plain memory.
 * Keys are any text; whoever implements the port makes them fit its own rules.
 */
export interface KeyValueBucket {
  /** How long an entry lives after its last put, milliseconds; 0 = for ever. */
  readonly ttlMs: number;
  put(key: string, value: Uint8Array): Promise<void>;
  /** Null if there is none, or it was deleted or has expired. */
  get(key: string): Promise<Uint8Array | null>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  keys(): Promise<readonly string[]>;
  /**
   * Reports every current entry first, then every change; resolves when the current ones have been reported.
   *
   * @param signal ends it, also before it resolved: it rejects then
   */
  watch(callback: (event: BucketEvent) => void, signal?: AbortSignal): Promise<BucketWatch>;
  /**
   * Calls back when what was put may be lost and has to be put again: after an outage, or when the bucket was made anew.
   * Absent where that cannot happen.
   */
  onRestored?(callback: () => void): BucketWatch;
}
