import { DEFAULT_SYNC_INTERVAL_MS } from './jetstream-block.ts';
import type { JetStreamConfig, ServerConfig, TlsConfig } from './server-config.ts';
import type { ServerSettings } from './settings.ts';

const DEFAULT_HOST = '0.0.0.0';
const DEFAULT_PORT = 4222;
const RANDOM_PORT = -1;
const TLS_TIMEOUT_MS = 2_000;
const AUTH_TIMEOUT_MS = 2_000;
const AUTH_TIMEOUT_BEYOND_TLS_MS = 1_000;
const DEFAULT_MAX_CONSUMERS = 1_000;

/** Where the settings come from besides the flags. */
export interface ConfigOrigin {
  readonly file: string;
  readonly digest: string;
}

/** Fills in the defaults of nats-server (spec/core.md 5.2). As there, 0 and the empty text count as not given. */
export function completeConfig(settings: ServerSettings, origin: ConfigOrigin): ServerConfig {
  const host = settings.host || DEFAULT_HOST;
  const tls = completeTls(settings.tls ?? null);
  return {
    configFile: origin.file,
    configDigest: origin.digest,
    host,
    port: settings.port === RANDOM_PORT ? 0 : settings.port || DEFAULT_PORT,
    clientAdvertise: settings.clientAdvertise ?? '',
    serverName: settings.serverName ?? '',
    serverTags: settings.serverTags ?? [],
    serverMetadata: settings.serverMetadata ?? {},
    debug: settings.debug ?? false,
    trace: settings.trace ?? false,
    traceVerbose: settings.traceVerbose ?? false,
    traceHeaders: settings.traceHeaders ?? false,
    logtime: settings.logtime ?? true,
    logtimeUtc: settings.logtimeUtc ?? false,
    logFile: settings.logFile ?? '',
    logSizeLimitBytes: settings.logSizeLimitBytes ?? 0,
    logMaxFiles: settings.logMaxFiles ?? 0,
    maxTracedMsgLenBytes: settings.maxTracedMsgLenBytes ?? 0,
    pidFile: settings.pidFile ?? '',
    portsFileDir: settings.portsFileDir ?? '',
    httpHost: settings.httpHost || host,
    httpPort: settings.httpPort ?? 0,
    httpsPort: settings.httpsPort ?? 0,
    httpBasePath: settings.httpBasePath ?? '',
    maxConnections: settings.maxConnections || 65_536,
    maxControlLineBytes: settings.maxControlLineBytes || 4_096,
    maxPayloadBytes: settings.maxPayloadBytes || 1_048_576,
    maxPendingBytes: settings.maxPendingBytes || 67_108_864,
    maxSubscriptions: settings.maxSubscriptions ?? 0,
    maxSubTokens: settings.maxSubTokens ?? 0,
    maxClosedClients: settings.maxClosedClients || 10_000,
    pingIntervalMs: settings.pingIntervalMs || 120_000,
    maxPingsOut: settings.maxPingsOut || 2,
    writeDeadlineMs: settings.writeDeadlineMs || 10_000,
    noFastProducerStall: settings.noFastProducerStall ?? false,
    noHeaderSupport: settings.noHeaderSupport ?? false,
    noSublistCache: settings.noSublistCache ?? false,
    username: settings.username ?? '',
    password: settings.password ?? '',
    authorization: settings.authorization ?? '',
    authTimeoutMs: settings.authTimeoutMs || defaultAuthTimeoutMs(tls),
    users: settings.users ?? null,
    noAuthUser: settings.noAuthUser ?? '',
    tls,
    allowNonTls: settings.allowNonTls ?? false,
    jetstream: completeJetStream(settings),
    systemAccount: settings.systemAccount ?? '',
    noSystemAccount: settings.noSystemAccount ?? false,
    lameDuckDurationMs: settings.lameDuckDurationMs || 120_000,
    lameDuckGracePeriodMs: settings.lameDuckGracePeriodMs || 10_000,
  };
}

function completeTls(tls: TlsConfig | null): TlsConfig | null {
  return tls && { ...tls, timeoutMs: tls.timeoutMs || TLS_TIMEOUT_MS };
}

function defaultAuthTimeoutMs(tls: TlsConfig | null): number {
  return tls === null ? AUTH_TIMEOUT_MS : tls.timeoutMs + AUTH_TIMEOUT_BEYOND_TLS_MS;
}

function completeJetStream(settings: ServerSettings): JetStreamConfig {
  return {
    enabled: settings.jetstream ?? false,
    storeDir: settings.storeDir ?? '',
    maxMemoryBytes: settings.maxMemoryBytes ?? -1,
    maxStoreBytes: settings.maxStoreBytes ?? -1,
    syncAlways: settings.syncAlways ?? true,
    syncIntervalMs: settings.syncIntervalMs ?? DEFAULT_SYNC_INTERVAL_MS,
    strict: settings.strict ?? true,
    limits: {
      maxAckPending: settings.limits?.maxAckPending ?? 0,
      maxRequestBatch: settings.limits?.maxRequestBatch ?? 0,
      duplicateWindowMs: settings.limits?.duplicateWindowMs ?? 0,
      defaultMaxConsumers: settings.limits?.defaultMaxConsumers || DEFAULT_MAX_CONSUMERS,
    },
  };
}
