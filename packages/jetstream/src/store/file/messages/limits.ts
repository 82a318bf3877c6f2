/** Block sizes as nats-server picks them (spec/jetstream.md 7.2). */
export const BLOCK_BYTES_LARGE: number = 8 * 1024 * 1024;
export const BLOCK_BYTES_MEDIUM: number = 4 * 1024 * 1024;
export const BLOCK_BYTES_MIN = 32_000;

/** A block below this size, and half of its full one, is not rewritten for the removed messages in it. As nats-server. */
export const COMPACT_BYTES_MIN: number = 2 * 1024 * 1024;

/**
 * Bytes appended that a slow disk has not written yet, per stream. At the limit `append` throws a StoreBacklogError
 * and stores nothing.
 */
export const WRITE_BACKLOG_BYTES_MAX: number = 128 * 1024 * 1024;

/** Smallest buffer behind the block that is written to; it doubles as needed, up to the block's size. */
export const WINDOW_BYTES_MIN: number = 8 * 1024;

/**
 * Sequences without a message in one block. A jump over more of them starts a new block, as nats-server does:
 * it keeps a bit for each.
 */
export const BLOCK_GAPS_MAX: number = 64 * 1024;

/** Subjects of a block that are remembered after its bytes left memory. A block with more is read again when asked. */
export const BLOCK_SUBJECTS_MAX = 1024;

/** Removed sequences an index.db may describe: above it none is written, and the next start reads the blocks. */
export const INDEX_DELETED_MAX: number = 32 * 1024 * 1024;

/** Length of a damaged record up to which a single wrong byte anywhere in it is looked for. */
export const REPAIR_BYTES_MAX = 256;

/** Hashes tried per block to put single wrong bytes right: a tenth of a second. Beyond it damage stays what it is. */
export const REPAIR_HASHES_MAX = 1_000_000;
