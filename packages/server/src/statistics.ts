import type { Account } from './account.ts';
import type { ConnectionRegistry } from './connection-registry.ts';
import type { ServerCounters } from './counters.ts';
import type { SlowConsumers } from './slow-consumers.ts';
import { Traffic } from './traffic.ts';

/** Figures of a server at one moment. Those without "now" only grow, from 0 at the start. */
export interface ServerStatistics {
  /** Client connections now. Equivalent to connections in varz. */
  readonly connections: number;
  /** Connections there ever were. Equivalent to total_connections in varz. */
  readonly totalConnections: number;
  /** Connections that were refused because max_connections were open. */
  readonly refusedConnections: number;
  /** Subscriptions of all accounts now, the server's own included. Equivalent to subscriptions in varz. */
  readonly subscriptions: number;
  /** Messages and their bytes (headers included), both ways; clients' and the server's own. As in_msgs in varz. */
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  /** Bytes waiting now for clients to take them, and the most that wait for one of them. */
  readonly pendingBytes: number;
  readonly pendingBytesMax: number;
  /** Clients closed for being too slow. Equivalent to slow_consumers in varz. */
  readonly slowConsumers: number;
  /** The same by reason: more than max_pending bytes behind, a write longer than write_deadline. */
  readonly slowConsumersByReason: { readonly maxPending: number; readonly writeDeadline: number };
  /** Times a publisher had to wait for a consumer that is behind. Equivalent to stalled_clients in varz. */
  readonly stalls: number;
  /** Clients closed because they did not answer pings. Equivalent to stale_connections in varz. */
  readonly staleConnections: number;
  /** Log-ins that were refused. */
  readonly authFailures: number;
  /** Clients closed because they did not log in within the time for it. */
  readonly authTimeouts: number;
  /** TLS handshakes that failed, probes without TLS included. */
  readonly tlsFailures: number;
  /** Publishes and subscriptions refused for want of a permission. */
  readonly permissionViolations: number;
}

/** Where the figures come from. */
interface Sources {
  readonly registry: ConnectionRegistry;
  readonly counters: ServerCounters;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly slowConsumers: SlowConsumers;
}

/** Adds up what connections and accounts count anyway: the way of a message knows nothing of it. */
export function collectStatistics({ registry, counters, accounts, slowConsumers }: Sources): ServerStatistics {
  const traffic = new Traffic();
  traffic.add(counters.past);
  traffic.add(counters.internal);
  let pendingBytes = 0;
  let pendingBytesMax = 0;
  for (const connection of registry.open.values()) {
    traffic.add(connection);
    const { pending } = connection.outbound;
    pendingBytes += pending;
    if (pending > pendingBytesMax) pendingBytesMax = pending;
  }
  let subscriptions = 0;
  for (const account of accounts.values()) subscriptions += account.sublist.count;
  return {
    connections: registry.open.size,
    totalConnections: counters.totalConnections,
    refusedConnections: counters.refusedConnections,
    subscriptions,
    inMsgs: traffic.inMsgs,
    inBytes: traffic.inBytes,
    outMsgs: traffic.outMsgs,
    outBytes: traffic.outBytes,
    pendingBytes,
    pendingBytesMax,
    slowConsumers: counters.slowConsumers,
    slowConsumersByReason: { maxPending: slowConsumers.maxPending, writeDeadline: slowConsumers.writeDeadline },
    stalls: counters.stalls,
    staleConnections: counters.staleConnections,
    authFailures: counters.authFailures,
    authTimeouts: counters.authTimeouts,
    tlsFailures: counters.tlsFailures,
    permissionViolations: counters.permissionViolations,
  };
}
