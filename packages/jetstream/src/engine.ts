import type { JetStreamAccount } from './account.ts';
import type { Host } from './host.ts';
import type { Settings } from './options.ts';
import type { Storage } from './store/store.ts';
import type { StorageKind } from './stream/config.ts';
import type { ConsumerModule } from './stream/consumer-port.ts';

/** What every part of one JetStream engine shares. */
export interface Engine {
  readonly host: Host;
  readonly storage: Storage;
  readonly settings: Settings;
  readonly consumers: ConsumerModule;
  /** Bytes in streams of all accounts. */
  readonly usage: Usage;
  /** Accounts whose streams are open, by name. */
  readonly accounts: Map<string, JetStreamAccount>;
}

/** Bytes that streams of all accounts have set aside with max_bytes. */
export function reservedBytes(engine: Engine, kind: StorageKind): number {
  let bytes = 0;
  for (const account of engine.accounts.values()) bytes += account.reserved(kind);
  return bytes;
}

/** Bytes in streams by storage kind. */
export class Usage {
  file = 0;
  memory = 0;

  add(kind: StorageKind, bytes: number): void {
    if (kind === 'file') this.file += bytes;
    else this.memory += bytes;
  }

  of(kind: StorageKind): number {
    return kind === 'file' ? this.file : this.memory;
  }
}
