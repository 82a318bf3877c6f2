import type { Permissions, ServerConfig, TlsConfig, UserConfig } from '@nats-ts/config/server';
import type {
  AuthorizationOptions,
  MonitorOptions,
  PermissionsOptions,
  TlsOptions,
  UserOptions,
} from '@nats-ts/server';
import type { EmbeddedJetStream, StartOptions } from '../start-server.ts';

/** What the configuration asks for in the terms of `startServer`. Throws for what cannot be done yet. */
export function startOptions(config: ServerConfig, defaultStoreDir: string): StartOptions {
  const authorization = authorizationOptions(config);
  const monitor = monitorOptions(config);
  return {
    host: config.host,
    port: config.port,
    clientAdvertise: config.clientAdvertise,
    ...(config.serverName === '' ? {} : { serverName: config.serverName }),
    tags: config.serverTags,
    metadata: config.serverMetadata,
    maxConnections: config.maxConnections,
    maxSubscriptions: config.maxSubscriptions,
    maxSubTokens: config.maxSubTokens,
    maxControlLine: config.maxControlLineBytes,
    maxPayload: config.maxPayloadBytes,
    maxPending: config.maxPendingBytes,
    maxClosedClients: config.maxClosedClients,
    pingIntervalMs: config.pingIntervalMs,
    pingMax: config.maxPingsOut,
    writeDeadlineMs: config.writeDeadlineMs,
    lameDuckDurationMs: config.lameDuckDurationMs,
    lameDuckGracePeriodMs: config.lameDuckGracePeriodMs,
    noFastProducerStall: config.noFastProducerStall,
    noHeaderSupport: config.noHeaderSupport,
    noSublistCache: config.noSublistCache,
    ...(authorization === null ? {} : { authorization }),
    ...(config.noAuthUser === '' ? {} : { noAuthUser: config.noAuthUser }),
    noSystemAccount: config.noSystemAccount,
    ...(config.tls === null ? {} : { tls: tlsOptions(config.tls) }),
    allowNonTls: config.allowNonTls,
    ...(monitor === null ? {} : { monitor }),
    debug: config.debug,
    trace: config.trace,
    traceVerbose: config.traceVerbose,
    traceHeaders: config.traceHeaders,
    maxTracedMsgLen: config.maxTracedMsgLenBytes,
    configFile: config.configFile,
    configDigest: config.configDigest,
    jetstream: config.jetstream.enabled ? jetstreamOptions(config, defaultStoreDir) : false,
  };
}

function authorizationOptions(config: ServerConfig): AuthorizationOptions | null {
  const timeout = { timeoutMs: config.authTimeoutMs };
  if (config.users !== null) return { ...timeout, users: config.users.map(userOptions) };
  if (config.username !== '') return { ...timeout, user: config.username, password: config.password };
  if (config.authorization !== '') return { ...timeout, token: config.authorization };
  return null;
}

function userOptions(user: UserConfig): UserOptions {
  return {
    user: user.username,
    password: user.password,
    ...(user.permissions === null ? {} : { permissions: permissionsOptions(user.permissions) }),
    ...(user.allowedConnectionTypes === null ? {} : { allowedConnectionTypes: user.allowedConnectionTypes }),
  };
}

function permissionsOptions({ publish, subscribe, responses }: Permissions): PermissionsOptions {
  return {
    ...(publish === null ? {} : { publish: withoutNulls(publish) }),
    ...(subscribe === null ? {} : { subscribe: withoutNulls(subscribe) }),
    ...(responses === null ? {} : { responses }),
  };
}

function withoutNulls(lists: { allow: readonly string[] | null; deny: readonly string[] | null }): {
  allow?: readonly string[];
  deny?: readonly string[];
} {
  return {
    ...(lists.allow === null ? {} : { allow: lists.allow }),
    ...(lists.deny === null ? {} : { deny: lists.deny }),
  };
}

function tlsOptions(tls: TlsConfig): TlsOptions {
  const { certificate } = tls;
  if (certificate === null) throw new Error('tls: a certificate and a key are needed (cert_file, key_file)');
  return {
    cert: certificate.cert.toString(),
    key: certificate.key.toString(),
    ...(tls.ca === null ? {} : { ca: tls.ca.toString() }),
    verify: tls.verify,
    timeoutMs: tls.timeoutMs,
    minVersion: tls.minVersion,
    ...(tls.ciphers === null ? {} : { ciphers: tls.ciphers }),
    handshakeFirst: tls.handshakeFirst,
  };
}

function monitorOptions(config: ServerConfig): MonitorOptions | null {
  const secure = config.httpsPort !== 0;
  const port = secure ? config.httpsPort : config.httpPort;
  return port === 0 ? null : { host: config.httpHost, port, secure, basePath: config.httpBasePath };
}

const NS_PER_MS = 1_000_000;

function jetstreamOptions({ jetstream }: ServerConfig, defaultStoreDir: string): EmbeddedJetStream {
  const { limits } = jetstream;
  return {
    storeDir: jetstream.storeDir === '' ? defaultStoreDir : jetstream.storeDir,
    syncIntervalMs: jetstream.syncAlways ? 0 : jetstream.syncIntervalMs,
    strict: jetstream.strict,
    limits: {
      maxMemory: jetstream.maxMemoryBytes,
      maxStorage: jetstream.maxStoreBytes,
      duplicateWindowNs: limits.duplicateWindowMs * NS_PER_MS,
      maxAckPending: limits.maxAckPending > 0 ? limits.maxAckPending : -1,
      maxRequestBatch: limits.maxRequestBatch,
      defaultMaxConsumers: limits.defaultMaxConsumers,
    },
  };
}
