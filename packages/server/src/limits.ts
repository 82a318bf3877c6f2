/** Limits that no option changes. The others are options with their defaults in `options.ts`. */

/**
 * Bytes read from a plain socket at a time, into one buffer that all of them share. With the message that began in the
 * read before, what one read brings mostly fits one large slab, and leaves in one write.
 */
export const READ_BUFFER_BYTES: number = 112 * 1024;
/** Bytes of an output slab of a busy connection. */
export const LARGE_SLAB_BYTES: number = 128 * 1024;
/** Bytes of the output slab a connection begins with. */
export const SMALL_SLAB_BYTES: number = 4 * 1024;
/** Free slabs that are kept for later; more are left to the garbage collector. */
export const FREE_SMALL_SLABS_MAX = 1024;
export const FREE_LARGE_SLABS_MAX = 64;
/** Messages of 4–32 KiB that are put together from several reads in memory that is used again; 1 MiB in all. */
export const FRAMES_MAX = 32;
/** Bytes handed to the socket in one write; what is queued beyond waits for its completion. */
export const WRITE_BYTES_MAX: number = 8 * 1024 * 1024;
/** Milliseconds of work for one client before the others get their turn. */
export const TURN_MS = 20;
/** Units of work (about a microsecond each) after which the clock tells whether a turn is over. */
export const TURN_WORK_PER_LOOK = 1024;
/** Units that a subject no one remembers costs, and each of its characters beyond that. */
export const LOOKUP_WORK = 2;
/** Deliveries of one message that are not counted as work: reading the message costs as much. */
export const DELIVERIES_FREE = 4;
/** Units that a SUB or UNSUB costs. */
export const SUBSCRIBE_WORK = 4;
/** Units that a message for somebody inside the process costs, and a request to the JetStream API there. */
export const INTERNAL_WORK = 8;
export const API_WORK = 1024;
/** Subscriptions of a closed connection that are taken out at a time. */
export const DROPPED_PER_TURN = 2048;
/** Connections with unsent output before they are flushed in the middle of a chunk. */
export const DIRTY_CONNECTIONS_MAX = 8192;
/** Milliseconds a closing connection gets to take its last bytes. As nats-server. */
export const CLOSE_FLUSH_MS = 100;
/** Milliseconds between two clients that a lame duck closes, at most. As nats-server. */
export const LAME_DUCK_PAUSE_MAX_MS = 1000;
/** Clients a lame duck closes before others get their turn, when more of them are due than timers can tell apart. */
export const LAME_DUCK_CLOSES_PER_TURN = 64;
/** Milliseconds to wait at first PING: at most this, plus up to a fifth. As nats-server (spec/core.md 1.5). */
export const FIRST_PING_MS = 2000;
/** An RTT older than this is measured again. */
export const RTT_MAX_AGE_MS: number = 60 * 60 * 1000;
/** Replies of a message longer than this trigger an RTT measurement while it is unknown. */
export const RTT_REPLY_BYTES_MIN = 15;
/** Milliseconds a producer waits for a consumer that is behind, per read; more when the consumer is full. */
export const STALL_MIN_MS = 2;
export const STALL_MAX_MS = 5;
/** Replies a connection may answer through allow_responses before used ones are pruned, and at most. */
export const REPLY_PRUNE_AT = 4096;
export const REPLIES_MAX = 65_536;
export const REPLY_PRUNE_MS = 1000;
/** Verdicts a connection remembers about subjects it published to or got messages on. */
export const VERDICTS_MAX = 1024;
/** Bytes held of a client whose password is still being verified; its socket is paused meanwhile. */
export const HELD_BYTES_MAX: number = 512 * 1024;
/** Password verifications running at once; the others queue, at most this many. */
export const BCRYPT_RUNNING_MAX = 4;
export const BCRYPT_WAITING_MAX = 1024;
/** Log texts remembered for the suppression of repeats within a second. */
export const RATE_LIMITED_TEXTS_MAX = 1024;
/** Slow consumers that are remembered by name, and subscriptions of each. */
export const SLOW_CONSUMERS_MAX = 128;
export const SLOW_SUBSCRIPTIONS_MAX = 8;
/** Entries of a page of connz and subsz unless asked otherwise, as nats-server. */
export const MONITOR_PAGE = 1024;
