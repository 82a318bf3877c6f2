import { JetStreamBucket } from '../jetstream/jetstream-bucket.ts';
import { NatsLink } from './nats-link.ts';
import type { NatsOptions } from './options.ts';

/** The bucket `service-registry` on remote NATS servers. */
export class NatsBucket extends JetStreamBucket {
  private constructor(options: NatsOptions, link: NatsLink) {
    const { ttlMs, onError } = options;
    super({ link, ...(ttlMs === undefined ? {} : { ttlMs }), ...(onError === undefined ? {} : { onError }) });
  }

  /**
   * Connects; rejects if the first attempt fails. With `waitOnFirstConnect` it tries until it succeeds.
   */
  static async connect(options: NatsOptions & { readonly waitOnFirstConnect?: boolean }): Promise<NatsBucket> {
    const link = new NatsLink(options);
    const bucket = new NatsBucket(options, link);
    await (options.waitOnFirstConnect === true ? link.connectForEver() : link.connect());
    return bucket;
  }

  /** The bucket at once; connecting goes on behind it for ever. What is asked of it before fails as `unavailable`. */
  static start(options: NatsOptions): NatsBucket {
    const link = new NatsLink(options);
    const bucket = new NatsBucket(options, link);
    link.connectForEver().catch(() => {
      // Only when it was closed before.
    });
    return bucket;
  }
}
