import { randomUUID } from 'node:crypto';
import { Registry } from '../registry.ts';
import { NatsBucket } from './nats-bucket.ts';
import type { NatsOptions } from './options.ts';

/** Options of `connectRegistry`. */
export interface ConnectOptions extends NatsOptions {
  /** How often registered services are put again, milliseconds. Default 25 000. Equivalent to EXPERIMENTAL_REGISTER_INTERVAL. */
  readonly intervalMs?: number;
  /** Id of this process in the keys. Default: a new UUID. */
  readonly processId?: string;
  /** Wait for the first connection for ever, instead of rejecting if it fails. Default false. */
  readonly waitOnFirstConnect?: boolean;
}

/** A registry on remote NATS servers; `close` withdraws what was registered and ends the connection. */
export class RemoteRegistry extends Registry {
  readonly #remote: NatsBucket;

  constructor(bucket: NatsBucket, options: ConnectOptions) {
    const { intervalMs, onError } = options;
    super({
      bucket,
      processId: options.processId ?? randomUUID(),
      ...(intervalMs === undefined ? {} : { intervalMs }),
      ...(onError === undefined ? {} : { onError }),
    });
    this.#remote = bucket;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#remote.close();
  }
}

/**
 * Joins the registry of an oCIS or OpenCloud stack: `await connectRegistry({ servers: ['127.0.0.1:9233'] })`.
 * Once connected it reconnects for ever, and registers everything again at once after an outage of any length.
 *
 * @throws RegistryError `unavailable` if the first connection fails and `waitOnFirstConnect` is not set
 */
export async function connectRegistry(options: ConnectOptions): Promise<RemoteRegistry> {
  return new RemoteRegistry(await NatsBucket.connect(options), options);
}
