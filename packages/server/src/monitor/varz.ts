import { X509Certificate } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { goTime, uptime } from '../go-format.ts';
import { TLS_TIMEOUT_MS } from '../tls-options.ts';
import { Traffic } from '../traffic.ts';
import type { ServerView } from './view.ts';

/** What nats-server 2.15 lets a configuration switch, as it is switched here; none of it can be changed yet. */
const FEATURE_FLAGS = {
  js_ack_fc_v2: false,
  js_api_reply_v2: false,
  js_raft_delete_range: true,
  js_snapshot_sources: false,
};
const NS_PER_MS = 1_000_000;

/** CPU use of the process in percent of one core, since the last time it was asked for. */
export class CpuMeter {
  #lastMs = 0;
  #lastUsedMs = 0;
  #percent = 0;

  sample(nowMs: number): number {
    const { user, system } = process.cpuUsage();
    const usedMs = (user + system) / 1000;
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs < 100) return this.#percent;
    this.#percent = Math.round(((usedMs - this.#lastUsedMs) / elapsedMs) * 1000) / 10;
    this.#lastMs = nowMs;
    this.#lastUsedMs = usedMs;
    return this.#percent;
  }
}

/** Traffic of all clients since the start. */
function clientTraffic(server: ServerView): Traffic {
  const sum = new Traffic();
  sum.add(server.counters.past);
  for (const connection of server.registry.open.values()) sum.add(connection);
  return sum;
}

/** When the certificate, the first one of `pem`, ends to be valid. */
function certificateEnd(pem: string): string {
  return goTime(new X509Certificate(pem).validToDate.getTime());
}

/** /varz, fields in nats-server's order (spec/core.md 8.2). */
export function varz(server: ServerView, cpu: number, requests: ReadonlyMap<string, number>): object {
  const { settings, info, counters } = server;
  const nowMs = server.clock.now();
  const clients = clientTraffic(server);
  const { internal } = counters;
  const isHttps = settings.monitor?.secure ?? false;
  const perKind = (count: number): object => ({ clients: count, routes: 0, gateways: 0, leafs: 0 });
  let subscriptions = 0;
  for (const account of server.accounts.values()) subscriptions += account.sublist.count;
  return {
    server_id: info.server_id,
    server_name: info.server_name,
    version: info.version,
    proto: info.proto,
    git_commit: info.git_commit,
    go: info.go,
    host: info.host,
    port: info.port,
    auth_required: info.auth_required || undefined,
    tls_required: info.tls_required || undefined,
    tls_verify: info.tls_verify || undefined,
    max_connections: settings.maxConnections,
    max_subscriptions: settings.maxSubscriptions || undefined,
    ping_interval: settings.pingIntervalMs * NS_PER_MS,
    ping_max: settings.pingMax,
    http_host: server.monitorHost,
    http_port: isHttps ? 0 : server.monitorPort,
    http_base_path: settings.monitor?.basePath ?? '',
    https_port: isHttps ? server.monitorPort : 0,
    auth_timeout: server.authTimeoutMs / 1000,
    max_control_line: settings.maxControlLine,
    max_payload: settings.maxPayload,
    max_pending: settings.maxPending,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: {},
    jetstream: server.jetstream?.varz() ?? {},
    tls_timeout: (settings.tls?.timeoutMs ?? TLS_TIMEOUT_MS) / 1000,
    write_deadline: settings.writeDeadlineMs * NS_PER_MS,
    start: goTime(server.startMs),
    now: goTime(nowMs),
    uptime: uptime(server.clock.monotonicMs() - server.startedMs),
    mem: process.memoryUsage.rss(),
    cores: availableParallelism(),
    gomaxprocs: availableParallelism(),
    cpu,
    connections: server.registry.open.size,
    total_connections: counters.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: clients.inMsgs + internal.inMsgs,
    in_bytes: clients.inBytes + internal.inBytes,
    in_client_msgs: clients.inMsgs,
    in_client_bytes: clients.inBytes,
    out_msgs: clients.outMsgs,
    out_bytes: clients.outBytes,
    out_client_msgs: clients.outMsgs,
    out_client_bytes: clients.outBytes,
    slow_consumers: counters.slowConsumers,
    stale_connections: counters.staleConnections,
    stalled_clients: counters.stalls,
    subscriptions,
    http_req_stats: Object.fromEntries([...requests].sort(([a], [b]) => (a < b ? -1 : 1))),
    config_load_time: goTime(server.startMs),
    config_digest: settings.configDigest,
    feature_flags: FEATURE_FLAGS,
    tags: settings.tags.length > 0 ? settings.tags : undefined,
    metadata: Object.keys(settings.metadata).length > 0 ? settings.metadata : undefined,
    system_account: settings.noSystemAccount ? undefined : '$SYS',
    slow_consumer_stats: perKind(counters.slowConsumers),
    stale_connection_stats: perKind(counters.staleConnections),
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
    tls_cert_not_after: settings.tls === null ? undefined : certificateEnd(settings.tls.cert),
  };
}
