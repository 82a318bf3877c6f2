/** A type description of go-micro. */
export interface Value {
  readonly name: string;
  readonly type: string;
  readonly values: readonly Value[] | null;
}

/** One method of a service. */
export interface Endpoint {
  readonly name: string;
  readonly request: Value | null;
  readonly response: Value | null;
  readonly metadata: Readonly<Record<string, string>> | null;
}

/** One running instance of a service. */
export interface Node {
  /** `<service>-<uuid>`. */
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  /** As oCIS services fill it: protocol, registry, server, transport, use_tls … */
  readonly metadata: Readonly<Record<string, string>> | null;
}

/** A service and its running instances, as go-micro's registry describes them. */
export interface Service {
  readonly name: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly endpoints: readonly Endpoint[] | null;
  readonly nodes: readonly Node[];
}
