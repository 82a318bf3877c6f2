import type { JetStreamObserver } from './observer.ts';

/** Options of the JetStream engine. All are optional. */
export interface JetStreamOptions {
  /** Refuse unknown fields in API requests. Default true. Equivalent to `jetstream { strict }` of nats-server 2.15. */
  readonly strict?: boolean;
  /** JetStream domain. Not supported yet: open() refuses it. Equivalent to `jetstream { domain }`. */
  readonly domain?: string;
  readonly limits?: JetStreamLimits;
  /**
   * Limits for streams of these names (in every account) whose configuration leaves them open. They are shown and hold as
   * if the client had given them, also for streams that are there already; a limit of the client's own counts over
   * them. They are not stored: a stream loses them with the option. Default: none. No equivalent in nats-server.
   */
  readonly streamDefaults?: Readonly<Record<string, StreamDefaults>>;
  /** Told what JetStream does, for metrics and traces. Default: nobody is. */
  readonly observer?: JetStreamObserver;
  /** Where the file store lives and how it syncs; only shown by monitoring. */
  readonly shown?: {
    readonly storeDir?: string;
    readonly syncAlways?: boolean;
    /** Milliseconds; shown in nanoseconds. */
    readonly syncIntervalMs?: number;
  };
}

/** Limits of a stream that stand in for what its configuration leaves open; absent and 0 = none. */
export interface StreamDefaults {
  /** Nanoseconds, at least 100 ms. Fills max_age, and shortens a longer duplicate_window. */
  readonly maxAgeNs?: number;
  /** Fills max_bytes. */
  readonly maxBytes?: number;
}

/** Shortest max_age, nanoseconds. */
const MAX_AGE_MIN_NS = 100_000_000;

/** Limits of the whole server. */
export interface JetStreamLimits {
  /** Bytes in memory streams; -1 = unlimited. Default -1. Equivalent to max_memory_store. */
  readonly maxMemory?: number;
  /** Bytes in file streams; -1 = unlimited. Default -1. Equivalent to max_file_store. */
  readonly maxStorage?: number;
  /** Longest duplicate_window, nanoseconds; 0 = none. Default 0. Equivalent to limits { duplicate_window }. */
  readonly duplicateWindowNs?: number;
  /** Highest max_ack_pending of a consumer; -1 = unlimited. Default -1. Equivalent to limits { max_ack_pending }. */
  readonly maxAckPending?: number;
  /**
   * Consumers of a stream when neither the stream nor its account says how many; negative = unlimited, 0 = the default.
   * Default DEFAULT_MAX_CONSUMERS. Equivalent to limits { default_max_consumers }.
   */
  readonly defaultMaxConsumers?: number;
  /** Highest max_batch of a pull consumer; 0 = none. Default 0. Equivalent to limits { max_request_batch }. */
  readonly maxRequestBatch?: number;
  /** Published messages per stream that may wait for their commit. Default INGEST_MESSAGES_MAX. Equivalent to max_buffered_msgs. */
  readonly maxBufferedMsgs?: number;
  /** Their bytes. Default INGEST_BYTES_MAX. Equivalent to max_buffered_size. */
  readonly maxBufferedBytes?: number;
  /** API requests per account and queue that may wait. Default API_QUEUE_MAX. Equivalent to request_queue_limit. */
  readonly requestQueue?: number;
  /** Message ids per stream the duplicate window holds. Default DEDUPE_IDS_MAX. */
  readonly dedupeIds?: number;
}

/**
 * Published messages per stream that may wait for their commit; more are refused with 10167 (429). From half of it on, the clients
 * that publish are not read from until a quarter is left.
 */
export const INGEST_MESSAGES_MAX = 100_000;
/** Their bytes (subject, reply, header and payload). */
export const INGEST_BYTES_MAX: number = 128 * 1024 * 1024;
/**
 * API requests per account and queue that may wait; when it is reached all of them are dropped, as in nats-server. A client is not
 * read from while it takes up too large a share of it (request-holds.ts).
 */
export const API_QUEUE_MAX = 10_000;
/** Message ids per stream the duplicate window holds; beyond it the oldest are forgotten early. */
export const DEDUPE_IDS_MAX = 4_000_000;

/** Consumers of a stream when nothing else says how many; one more is refused with 10026. */
export const DEFAULT_MAX_CONSUMERS = 1000;

/** Options with their defaults filled in. */
export interface Settings {
  readonly strict: boolean;
  readonly limits: Required<JetStreamLimits>;
  readonly observer: JetStreamObserver;
  /** By stream name. */
  readonly streamDefaults: ReadonlyMap<string, StreamDefaults>;
  readonly shown: { readonly storeDir?: string; readonly syncAlways: boolean; readonly syncIntervalNs: number };
}

/** Fills in the defaults. Throws an Error for what is not supported yet, a RangeError for stream defaults no stream could have. */
export function resolveOptions(options: JetStreamOptions): Settings {
  if (options.domain !== undefined && options.domain !== '') {
    throw new Error(`JetStream domain "${options.domain}": domains are not supported yet by nats-ts`);
  }
  const limits = options.limits ?? {};
  const streamDefaults = new Map(Object.entries(options.streamDefaults ?? {}));
  for (const [name, defaults] of streamDefaults) checkDefaults(name, defaults);
  const { storeDir, syncAlways = false, syncIntervalMs = 0 } = options.shown ?? {};
  return {
    strict: options.strict ?? true,
    limits: {
      maxMemory: limits.maxMemory ?? -1,
      maxStorage: limits.maxStorage ?? -1,
      duplicateWindowNs: limits.duplicateWindowNs ?? 0,
      maxAckPending: limits.maxAckPending ?? -1,
      defaultMaxConsumers: limits.defaultMaxConsumers || DEFAULT_MAX_CONSUMERS,
      maxRequestBatch: limits.maxRequestBatch ?? 0,
      maxBufferedMsgs: limits.maxBufferedMsgs ?? INGEST_MESSAGES_MAX,
      maxBufferedBytes: limits.maxBufferedBytes ?? INGEST_BYTES_MAX,
      requestQueue: limits.requestQueue ?? API_QUEUE_MAX,
      dedupeIds: limits.dedupeIds ?? DEDUPE_IDS_MAX,
    },
    observer: options.observer ?? {},
    streamDefaults,
    shown: { ...(storeDir !== undefined && { storeDir }), syncAlways, syncIntervalNs: syncIntervalMs * 1_000_000 },
  };
}

function checkDefaults(stream: string, { maxAgeNs = 0, maxBytes = 0 }: StreamDefaults): void {
  if (!Number.isSafeInteger(maxAgeNs) || (maxAgeNs !== 0 && maxAgeNs < MAX_AGE_MIN_NS)) {
    throw new RangeError(
      `stream defaults of "${stream}": maxAgeNs is ${maxAgeNs}, expected 0 or at least ${MAX_AGE_MIN_NS}`,
    );
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new RangeError(`stream defaults of "${stream}": maxBytes is ${maxBytes}, expected 0 or a number of bytes`);
  }
}
