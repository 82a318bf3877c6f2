/** What of nats-server's store this one cannot read. */
export type UnsupportedFeature = 'compression' | 'encryption' | 'sequence';

const EXPLANATIONS: Record<UnsupportedFeature, string> = {
  compression: 'compressed message blocks (compression: s2) are not supported yet by nats-ts',
  encryption: 'an encrypted store is not supported yet by nats-ts',
  sequence: 'sequences above 2^53 - 1 are not supported by nats-ts',
};

/** The stream's directory holds something this store cannot read. Nothing in it was changed. */
export class UnsupportedStoreError extends Error {
  override readonly name = 'UnsupportedStoreError';
  readonly feature: UnsupportedFeature;
  /** The file that shows it. */
  readonly path: string;

  constructor(feature: UnsupportedFeature, path: string) {
    super(`${EXPLANATIONS[feature]}: ${path}`);
    this.feature = feature;
    this.path = path;
  }
}

/** The disk does not keep up: WRITE_BACKLOG_BYTES_MAX are waiting to be written. Try again later. */
export class StoreBacklogError extends Error {
  override readonly name = 'StoreBacklogError';

  constructor(stream: string, bytes: number) {
    super(`stream ${JSON.stringify(stream)}: ${bytes} bytes are waiting to be written to disk`);
  }
}

/** The store refuses changes since a write failed, or was closed. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
