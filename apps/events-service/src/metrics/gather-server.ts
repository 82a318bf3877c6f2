import type { ServerStatistics, SlowConsumer } from '@nats-ts/natsd';
import { SLOW_CONSUMER_SERIES_MAX } from './catalogue.ts';
import { labelText, type Sheet } from './sheet.ts';

export function gatherServer(sheet: Sheet, figures: ServerStatistics, maxConnections: number): void {
  sheet.set('gnatsd_varz_connections', figures.connections);
  sheet.set('gnatsd_varz_total_connections', figures.totalConnections);
  sheet.set('gnatsd_varz_max_connections', maxConnections);
  sheet.set('gnatsd_varz_subscriptions', figures.subscriptions);
  sheet.set('gnatsd_varz_in_msgs', figures.inMsgs);
  sheet.set('gnatsd_varz_in_bytes', figures.inBytes);
  sheet.set('gnatsd_varz_out_msgs', figures.outMsgs);
  sheet.set('gnatsd_varz_out_bytes', figures.outBytes);
  sheet.set('gnatsd_varz_slow_consumers', figures.slowConsumers);
  sheet.set('gnatsd_varz_stale_connections', figures.staleConnections);
  sheet.set('gnatsd_varz_stalled_clients', figures.stalls);
  sheet.set('nats_client_pending_bytes', figures.pendingBytes);
  sheet.set('nats_client_pending_max_bytes', figures.pendingBytesMax);
  const { maxPending, writeDeadline } = figures.slowConsumersByReason;
  sheet.set('nats_slow_consumers_total', maxPending, { ...sheet.common, reason: 'max_pending' });
  sheet.set('nats_slow_consumers_total', writeDeadline, { ...sheet.common, reason: 'write_deadline' });
  sheet.set('nats_refused_connections_total', figures.refusedConnections);
  sheet.set('nats_auth_failures_total', figures.authFailures, { ...sheet.common, reason: 'refused' });
  sheet.set('nats_auth_failures_total', figures.authTimeouts, { ...sheet.common, reason: 'timeout' });
  sheet.set('nats_tls_failures_total', figures.tlsFailures);
  sheet.set('nats_permission_violations_total', figures.permissionViolations);
}

/** The most recent slow consumers by name. Returns how many got no series. */
export function gatherSlowConsumers(sheet: Sheet, slow: readonly SlowConsumer[]): number {
  // Users and client versions tell entries apart that have the same labels.
  const counts = new Map<string, { account: string; client_name: string; ip: string; count: number }>();
  let leftOut = 0;
  for (const { account, name, ip, count } of slow) {
    const labels = { account: labelText(account), client_name: labelText(name), ip: labelText(ip) };
    const key = JSON.stringify(labels);
    const known = counts.get(key);
    if (known !== undefined) known.count += count;
    else if (counts.size < SLOW_CONSUMER_SERIES_MAX) counts.set(key, { ...labels, count });
    else leftOut++;
  }
  for (const { count, ...labels } of counts.values())
    sheet.set('nats_slow_consumer_disconnects_total', count, { ...sheet.common, ...labels });
  return leftOut;
}
