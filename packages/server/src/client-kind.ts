/**
 * Who is behind a subscription or a message. `client` is a connection of a NATS client; `jetstream`, `system` and
 * `account` live inside the process; `router`, `gateway` and `leaf` are links to other servers, for which only the
 * name is reserved so far.
 */
export type ClientKind = 'client' | 'jetstream' | 'system' | 'account' | 'router' | 'gateway' | 'leaf';
