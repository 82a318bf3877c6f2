import { createCurve, createServer } from '@nats-io/nkeys';

/** Public keys of the server, new at every start. */
export interface ServerIdentity {
  /** `N…`, 56 characters: the server id. */
  readonly serverId: string;
  /** `X…`: for encrypted exchanges. */
  readonly xkey: string;
}

export function createIdentity(): ServerIdentity {
  return { serverId: createServer().getPublicKey(), xkey: createCurve().getPublicKey() };
}
