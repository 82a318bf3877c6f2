/** TLS towards the NATS servers. Certificates and keys are PEM texts. */
export interface NatsTls {
  /** Authorities to trust instead of the machine's. */
  readonly ca?: string;
  /** Certificate of this client, with its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Takes any certificate the server shows. */
  readonly skipVerify?: boolean;
}

/** How to reach the NATS servers that hold the registry. */
export interface NatsOptions {
  /** `host:port` or URLs, also with `user:password@`; any of them will do. Equivalent to MICRO_REGISTRY_ADDRESS. */
  readonly servers: readonly string[];
  /** Equivalent to MICRO_REGISTRY_AUTH_USERNAME. */
  readonly user?: string;
  /** Equivalent to MICRO_REGISTRY_AUTH_PASSWORD. */
  readonly pass?: string;
  /** Given: the server must speak TLS. Absent: TLS with the machine's authorities if the server asks for it. */
  readonly tls?: NatsTls;
  /** Name of the connection, as the server shows it. Default `nats-js-kv-registry`, the name of the Go services. */
  readonly name?: string;
  /** Time to live of a bucket that has to be made, milliseconds. Default 30 000. Equivalent to EXPERIMENTAL_REGISTER_TTL. */
  readonly ttlMs?: number;
  /** Told of lost connections, failed attempts and failed heartbeats; all of that is tried again for ever. */
  readonly onError?: (error: unknown) => void;
}
