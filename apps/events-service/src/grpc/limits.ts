/** Bytes of a message that a client may send; a larger one ends the call with RESOURCE_EXHAUSTED. */
export const RECEIVED_BYTES_MAX: number = 1024 * 1024;
/** Bytes of a message that is sent; a larger one ends the call with RESOURCE_EXHAUSTED. Clients take 4 MiB by default. */
export const SENT_BYTES_MAX: number = 4 * 1024 * 1024;
/** Calls that run on one connection at once; HTTP/2 has the client keep the next one back. */
export const CONCURRENT_STREAMS_MAX = 100;
/** Watches that run at once, of the registry and of health each; one more fails with RESOURCE_EXHAUSTED. */
export const WATCHERS_MAX = 500;
/** Events that wait for a client that does not take them; with one more its watch ends with RESOURCE_EXHAUSTED. */
export const WATCH_EVENTS_PENDING_MAX = 10_000;
/** Nodes with a time to live of their own; one more is refused with RESOURCE_EXHAUSTED. */
export const LEASES_MAX = 10_000;
/** Nodes of one service in one registration; more are refused with INVALID_ARGUMENT. */
export const NODES_MAX = 100;
