import type { TracingConfig } from './tracing-config.ts';

/** Levels of the log, the least chatty first. */
export const LOG_LEVELS = ['panic', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where services register. */
export type RegistryKind = 'nats-js-kv' | 'memory';

/** Whose paths and names the defaults follow. */
export type Flavour = 'ocis' | 'opencloud';

/** Everything the events-service runs on (spec/ocis.md 1). An empty text is "not set" where nothing else is said. */
export interface EventsConfig {
  readonly flavour: Flavour;
  readonly tracing: TracingConfig;
  readonly log: {
    /** `error` unless set. */
    readonly level: LogLevel;
    readonly pretty: boolean;
    readonly color: boolean;
    readonly file: string;
  };
  readonly debug: {
    /** host:port of the debug server; empty: none. */
    readonly addr: string;
    readonly token: string;
    readonly pprof: boolean;
    readonly zpages: boolean;
  };
  readonly nats: {
    readonly host: string;
    /** -1: a free port. */
    readonly port: number;
    readonly clusterId: string;
    readonly storeDir: string;
    readonly tlsCert: string;
    readonly tlsKey: string;
    /** With TLS: clients need not show a certificate. */
    readonly tlsSkipVerifyClientCert: boolean;
    /** PEM file; empty: the machine's authorities. */
    readonly tlsClientCa: string;
    readonly enableTls: boolean;
    /** Empty: anybody may connect. */
    readonly authUsername: string;
    readonly authPassword: string;
    /** 0: for ever. */
    readonly mainQueueMaxAgeMs: number;
    /** 0: no limit. */
    readonly mainQueueMaxBytes: number;
    /** 0: never. */
    readonly diskWarnPercent: number;
    /** 0: never. */
    readonly diskCriticalPercent: number;
  };
  readonly registry: {
    readonly kind: RegistryKind;
    /** Empty: not set, which is this service itself. */
    readonly addresses: readonly string[];
    readonly authUsername: string;
    readonly authPassword: string;
    /** Towards servers that are not this one. */
    readonly enableTls: boolean;
    readonly tlsRootCaCertificate: string;
    readonly tlsCert: string;
    readonly tlsKey: string;
    /** Takes any certificate, unless there is a root. */
    readonly tlsInsecure: boolean;
    readonly registerIntervalMs: number;
    readonly registerTtlMs: number;
  };
  readonly grpc: {
    /** host:port of the gRPC server; empty: none. */
    readonly addr: string;
    readonly token: string;
    readonly tlsCert: string;
    readonly tlsKey: string;
    /** Authority whose certificates clients must show; empty: they need none. */
    readonly tlsClientCa: string;
  };
}

/** Where a value came from. */
export interface ValueSource {
  readonly kind: 'default' | 'yaml' | 'env' | 'option';
  /** `default`, `/etc/ocis/nats.yaml:3 nats.port`, `env NATS_NATS_PORT`, `option nats.port`. */
  readonly text: string;
  /** The same without the key. */
  readonly place: string;
}
