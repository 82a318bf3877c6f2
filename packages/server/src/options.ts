import type { AuthorizationOptions } from './auth/options.ts';
import { goDurationOfMs } from './go-format.ts';
import { OptionsError } from './options-error.ts';
import type { TlsOptions } from './tls-options.ts';

/** JetStream limits of an account; -1 = unlimited. */
export interface AccountJetStreamLimits {
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly maxStreams: number;
  readonly maxConsumers: number;
  readonly maxAckPending: number;
  readonly memoryMaxStreamBytes: number;
  readonly storageMaxStreamBytes: number;
  readonly maxBytesRequired: boolean;
}

/** Monitoring endpoint (spec/core.md 8). */
export interface MonitorOptions {
  /** Address to listen on; default: that of the client listener. */
  readonly host?: string;
  /** Port; -1 = any free one. Equivalent to http_port in nats-server. */
  readonly port: number;
  /** Serve https with the certificate of `tls`. Equivalent to https_port. */
  readonly secure?: boolean;
  /** Milliseconds a client gets to send its request, default 10 s; half as long again may pass. */
  readonly requestTimeoutMs?: number;
  /** Path in front of the endpoints. Equivalent to http_base_path, default `/`. */
  readonly basePath?: string;
}

/** Options of a NatsServer. Every one has the default of nats-server 2.15. */
export interface ServerOptions {
  /** Address for clients, default `0.0.0.0`. */
  readonly host?: string;
  /** Port for clients, default 4222; -1 or 0 = any free one. */
  readonly port?: number;
  /** `host` or `host:port` told to clients instead. Equivalent to client_advertise. */
  readonly clientAdvertise?: string;
  /** Default: the server id. No blanks. */
  readonly serverName?: string;
  /** Told in INFO and by JetStream; a server with a name and no routes is still on its own. Equivalent to cluster.name. */
  readonly clusterName?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Version told to clients; default `2.15.1`, the nats-server this one behaves as. */
  readonly version?: string;
  /** Told in INFO and varz as git_commit; here: the version of this software. Default: not told. */
  readonly gitCommit?: string;
  /** Told in INFO and varz as go; default `node` and its version. */
  readonly runtimeVersion?: string;
  /** Connections at a time, default 65536; 0 or below: nobody may connect. Equivalent to max_connections. */
  readonly maxConnections?: number;
  /** Subscriptions per connection, default 0 = unlimited. Equivalent to max_subscriptions. */
  readonly maxSubscriptions?: number;
  /** Tokens of a subscription's subject, default 0 = unlimited, at most 255. Equivalent to max_sub_tokens. */
  readonly maxSubTokens?: number;
  /** Bytes, default 4096. Equivalent to max_control_line. */
  readonly maxControlLine?: number;
  /** Bytes, default 1 MiB; -1 = unlimited. Equivalent to max_payload. */
  readonly maxPayload?: number;
  /** Bytes, default 64 MiB. Equivalent to max_pending. */
  readonly maxPending?: number;
  /** Closed connections remembered for connz, default 10000. Equivalent to max_closed_clients. */
  readonly maxClosedClients?: number;
  /** Milliseconds, default 2 minutes. Equivalent to ping_interval. */
  readonly pingIntervalMs?: number;
  /** Unanswered PINGs, default 2. Equivalent to ping_max. */
  readonly pingMax?: number;
  /** Milliseconds, default 10 s. Equivalent to write_deadline. */
  readonly writeDeadlineMs?: number;
  /**
   * Milliseconds that lame duck mode takes to close all clients, grace period included; default 2 minutes.
   * Equivalent to lame_duck_duration, which must be 30 s or more in a configuration file.
   */
  readonly lameDuckDurationMs?: number;
  /** Milliseconds before it closes the first one, default 10 s; less than the duration. Equivalent to lame_duck_grace_period. */
  readonly lameDuckGracePeriodMs?: number;
  /** Skip consumers that are behind instead of slowing producers. Equivalent to no_fast_producer_stall. */
  readonly noFastProducerStall?: boolean;
  /** Equivalent to no_header_support. */
  readonly noHeaderSupport?: boolean;
  /** Equivalent to no_sublist_cache. */
  readonly noSublistCache?: boolean;
  readonly authorization?: AuthorizationOptions;
  /** User for clients that give no credentials. Equivalent to no_auth_user. */
  readonly noAuthUser?: string;
  /** Do without `$SYS`. Equivalent to no_system_account. */
  readonly noSystemAccount?: boolean;
  readonly tls?: TlsOptions;
  /** Take plain clients beside TLS ones. Equivalent to allow_non_tls. */
  readonly allowNonTls?: boolean;
  readonly monitor?: MonitorOptions;
  /** Log lines of level debug and trace are built only when these are on. */
  readonly debug?: boolean;
  readonly trace?: boolean;
  /** Trace internal traffic too. Equivalent to trace_verbose. */
  readonly traceVerbose?: boolean;
  /** Trace only the header block of a payload. Equivalent to trace_headers. */
  readonly traceHeaders?: boolean;
  /** Payload bytes in trace lines, default 0 = all. Equivalent to max_traced_msg_len. */
  readonly maxTracedMsgLen?: number;
  /** JetStream limits of `$G`; absent = JetStream is off for it. */
  readonly jetstreamLimits?: AccountJetStreamLimits;
  /** JetStream is (going to be) enabled: INFO says so. */
  readonly jetstream?: boolean;
  /** Domain told in INFO. Equivalent to jetstream.domain. */
  readonly jetstreamDomain?: string;
  /** For the start-up line and varz; empty when there is no file. */
  readonly configFile?: string;
  readonly configDigest?: string;
}

const KIB = 1024;
const MIB: number = 1024 * KIB;
/** max_payload above this is warned about, as nats-server does. */
export const PAYLOAD_WARN_BYTES: number = 8 * MIB;

/** Options with every default filled in. */
export interface Settings
  extends Required<
    Omit<
      ServerOptions,
      | 'clientAdvertise'
      | 'authorization'
      | 'noAuthUser'
      | 'tls'
      | 'monitor'
      | 'jetstreamLimits'
      | 'gitCommit'
      | 'serverName'
      | 'clusterName'
    >
  > {
  readonly clientAdvertise: string | null;
  readonly serverName: string | null;
  readonly clusterName: string | null;
  readonly gitCommit: string | null;
  readonly authorization: AuthorizationOptions | null;
  readonly noAuthUser: string | null;
  readonly tls: TlsOptions | null;
  readonly monitor: MonitorOptions | null;
  readonly jetstreamLimits: AccountJetStreamLimits | null;
}

/** Fills in the defaults and checks what has to fit together. */
export function resolveOptions(options: ServerOptions): Settings {
  const settings: Settings = {
    host: options.host ?? '0.0.0.0',
    port: options.port ?? 4222,
    clientAdvertise: options.clientAdvertise ?? null,
    serverName: options.serverName ?? null,
    clusterName: options.clusterName ?? null,
    tags: (options.tags ?? []).map((tag) => tag.toLowerCase()),
    metadata: options.metadata ?? {},
    version: options.version ?? '2.15.1',
    gitCommit: options.gitCommit ?? null,
    runtimeVersion: options.runtimeVersion ?? 'node',
    maxConnections: options.maxConnections ?? 65_536,
    maxSubscriptions: options.maxSubscriptions ?? 0,
    maxSubTokens: options.maxSubTokens ?? 0,
    maxControlLine: options.maxControlLine ?? 4 * KIB,
    maxPayload: options.maxPayload ?? MIB,
    maxPending: options.maxPending ?? 64 * MIB,
    maxClosedClients: options.maxClosedClients ?? 10_000,
    pingIntervalMs: options.pingIntervalMs ?? 120_000,
    pingMax: options.pingMax ?? 2,
    writeDeadlineMs: options.writeDeadlineMs ?? 10_000,
    lameDuckDurationMs: options.lameDuckDurationMs ?? 120_000,
    lameDuckGracePeriodMs: options.lameDuckGracePeriodMs ?? 10_000,
    noFastProducerStall: options.noFastProducerStall ?? false,
    noHeaderSupport: options.noHeaderSupport ?? false,
    noSublistCache: options.noSublistCache ?? false,
    authorization: options.authorization ?? null,
    noAuthUser: options.noAuthUser ?? null,
    noSystemAccount: options.noSystemAccount ?? false,
    tls: options.tls ?? null,
    allowNonTls: options.allowNonTls ?? false,
    monitor: options.monitor ?? null,
    debug: options.debug ?? false,
    trace: options.trace ?? false,
    traceVerbose: options.traceVerbose ?? false,
    traceHeaders: options.traceHeaders ?? false,
    maxTracedMsgLen: options.maxTracedMsgLen ?? 0,
    jetstreamLimits: options.jetstreamLimits ?? null,
    jetstream: options.jetstream ?? false,
    jetstreamDomain: options.jetstreamDomain ?? '',
    configFile: options.configFile ?? '',
    configDigest: options.configDigest ?? '',
  };
  check(settings);
  return settings;
}

function check(settings: Settings): void {
  if (settings.serverName?.includes(' ')) throw new OptionsError('server name cannot contain spaces');
  if (settings.maxPayload > settings.maxPending) {
    throw new OptionsError(
      `max_payload (${settings.maxPayload}) cannot be higher than max_pending (${settings.maxPending})`,
    );
  }
  positive('max_control_line', settings.maxControlLine);
  positive('max_pending', settings.maxPending);
  positive('max_closed_clients', settings.maxClosedClients);
  positive('ping_interval', settings.pingIntervalMs);
  positive('write_deadline', settings.writeDeadlineMs);
  positive('lame_duck_duration', settings.lameDuckDurationMs);
  const { lameDuckDurationMs, lameDuckGracePeriodMs } = settings;
  if (!(lameDuckGracePeriodMs >= 0)) throw new OptionsError('invalid lame_duck_grace_period, needs to be positive');
  if (lameDuckGracePeriodMs >= lameDuckDurationMs) {
    throw new OptionsError(
      `lame duck grace period (${goDurationOfMs(lameDuckGracePeriodMs)}) should be strictly lower than lame duck duration (${goDurationOfMs(lameDuckDurationMs)})`,
    );
  }
  if (settings.maxSubTokens < 0 || settings.maxSubTokens > 255) {
    throw new OptionsError(`max_sub_tokens must be from 0 to 255, got ${settings.maxSubTokens}`);
  }
  if (settings.monitor?.secure && settings.tls === null) {
    throw new OptionsError('TLS cert and key required for HTTPS');
  }
}

function positive(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0) throw new OptionsError(`${name} must be positive, got ${value}`);
}
