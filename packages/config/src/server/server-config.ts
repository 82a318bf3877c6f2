/** What a user may publish or subscribe to. A list that is null was not given: everything is allowed, nothing denied. */
export interface SubjectPermission {
  readonly allow: readonly string[] | null;
  readonly deny: readonly string[] | null;
}

/** Leave to publish to the reply subject of a delivered message. */
export interface ResponsePermission {
  /** How many replies; negative: any number. Default 1. */
  readonly maxMsgs: number;
  /** How long after the delivery; negative: for ever. Default 2 minutes. */
  readonly expiresMs: number;
}

/** The permissions of a user; a part that is null is unrestricted. Entries of `subscribe` may be `subject queue`. */
export interface Permissions {
  readonly publish: SubjectPermission | null;
  readonly subscribe: SubjectPermission | null;
  readonly responses: ResponsePermission | null;
}

/** An entry of `authorization.users`. */
export interface UserConfig {
  readonly username: string;
  /** Plain, or a bcrypt hash (`$2a$…`). */
  readonly password: string;
  /** Default permissions already filled in; null: unrestricted. */
  readonly permissions: Permissions | null;
  /** STANDARD, WEBSOCKET, …; null: every kind. */
  readonly allowedConnectionTypes: readonly string[] | null;
}

/** A certificate chain and its key, loaded and checked against each other. */
export interface CertificatePair {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly cert: Buffer;
  /** PEM. */
  readonly key: Buffer;
}

/** The `tls` block, or the `--tls…` flags. */
export interface TlsConfig {
  /** null if none was given: no handshake can succeed then, as in nats-server. */
  readonly certificate: CertificatePair | null;
  readonly caFile: string;
  /** PEM of ca_file; null without one: the system's roots count. */
  readonly ca: Buffer | null;
  /** Clients must show a certificate. Default false. */
  readonly verify: boolean;
  /** Limit for the handshake. Default 2000. */
  readonly timeoutMs: number;
  /** OpenSSL names joined by colons, as node:tls takes them; null: the runtime's default. */
  readonly ciphers: string | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /**
   * The handshake comes before INFO; a number: for so many milliseconds, then INFO is sent in clear after all.
   * Default false.
   */
  readonly handshakeFirst: boolean | number;
}

/** Limits of `jetstream { limits }`. */
export interface JetStreamLimits {
  /** Largest max_ack_pending of a consumer; 0: no limit. */
  readonly maxAckPending: number;
  /** Largest batch of a pull request; 0: no limit. */
  readonly maxRequestBatch: number;
  /** Largest duplicate window of a stream; 0: no limit. */
  readonly duplicateWindowMs: number;
  /** Consumers a stream may have that does not say; default 1000. */
  readonly defaultMaxConsumers: number;
}

/** The `jetstream` block, `-js` and `-sd`. */
export interface JetStreamConfig {
  readonly enabled: boolean;
  /** The directory above `jetstream/`; empty: not given, nats-server takes `nats/jetstream` in the temporary directory. */
  readonly storeDir: string;
  /** Bytes for memory streams; -1: not given, nats-server takes 75 % of the memory. */
  readonly maxMemoryBytes: number;
  /** Bytes for file streams; -1: not given, nats-server takes 75 % of the free disk. */
  readonly maxStoreBytes: number;
  /** Every write is synced before it is acknowledged. Default true (nats-server: false). */
  readonly syncAlways: boolean;
  /** Otherwise: the time between syncs. Default 2 minutes. */
  readonly syncIntervalMs: number;
  /** Requests with unknown JSON fields are refused. Default true. */
  readonly strict: boolean;
  readonly limits: JetStreamLimits;
}

/**
 * Everything natsd runs on: flags over file over defaults (spec/core.md 5.2). Sizes in bytes, durations in
 * milliseconds. An empty string is nats-server's "not set".
 */
export interface ServerConfig {
  /** As given with -c; empty without one. */
  readonly configFile: string;
  /** `sha256:…` of the file's contents; empty without a file. */
  readonly configDigest: string;
  /** Default 0.0.0.0. */
  readonly host: string;
  /** Default 4222; 0: a free port (-1 in the file and on the command line). */
  readonly port: number;
  readonly clientAdvertise: string;
  /** Empty: the server's id. */
  readonly serverName: string;
  readonly serverTags: readonly string[];
  readonly serverMetadata: Readonly<Record<string, string>>;
  readonly debug: boolean;
  readonly trace: boolean;
  readonly traceVerbose: boolean;
  /** Of traced payloads only the headers are shown. */
  readonly traceHeaders: boolean;
  /** Default true. */
  readonly logtime: boolean;
  readonly logtimeUtc: boolean;
  readonly logFile: string;
  /** 0: the log file is not rotated. */
  readonly logSizeLimitBytes: number;
  /** 0: all rotated files are kept. */
  readonly logMaxFiles: number;
  /** 0: traced payloads are shown whole. */
  readonly maxTracedMsgLenBytes: number;
  readonly pidFile: string;
  readonly portsFileDir: string;
  /** Default: host. */
  readonly httpHost: string;
  /** 0: no monitoring; -1: a free port. */
  readonly httpPort: number;
  /** 0: no monitoring over TLS; -1: a free port. */
  readonly httpsPort: number;
  /** As written, varz shows it so; `a/b/../c/` serves below `/a/c`. Empty: `/`. */
  readonly httpBasePath: string;
  /** Default 65536; -1 (0 in the file): nobody may connect. */
  readonly maxConnections: number;
  /** Default 4096. */
  readonly maxControlLineBytes: number;
  /** Default 1 MiB; negative: no limit. */
  readonly maxPayloadBytes: number;
  /** Default 64 MiB. */
  readonly maxPendingBytes: number;
  /** Subscriptions of a connection; 0: no limit. */
  readonly maxSubscriptions: number;
  /** Tokens of a subscription's subject; 0: no limit. */
  readonly maxSubTokens: number;
  /** Default 10000. */
  readonly maxClosedClients: number;
  /** Default 2 minutes. */
  readonly pingIntervalMs: number;
  /** Default 2. */
  readonly maxPingsOut: number;
  /** Default 10 s. */
  readonly writeDeadlineMs: number;
  /** Producers are not slowed down for consumers that are behind. */
  readonly noFastProducerStall: boolean;
  readonly noHeaderSupport: boolean;
  readonly noSublistCache: boolean;
  /** Single user; empty: none. */
  readonly username: string;
  readonly password: string;
  /** Single token; empty: none. */
  readonly authorization: string;
  /** Default 2 s, or the TLS timeout and a second. */
  readonly authTimeoutMs: number;
  /** null: no users were defined; then username or authorization count, if set. */
  readonly users: readonly UserConfig[] | null;
  readonly noAuthUser: string;
  /** null: plain connections only. */
  readonly tls: TlsConfig | null;
  /** Plain clients are taken beside TLS ones. */
  readonly allowNonTls: boolean;
  readonly jetstream: JetStreamConfig;
  /** Empty: `$SYS`. */
  readonly systemAccount: string;
  readonly noSystemAccount: boolean;
  /** Default 2 minutes. */
  readonly lameDuckDurationMs: number;
  /** Default 10 s. */
  readonly lameDuckGracePeriodMs: number;
}
