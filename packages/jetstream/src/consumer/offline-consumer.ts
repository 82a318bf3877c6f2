import type { ConsumerStore, SubjectFilter } from '../store/store.ts';
import type { StreamConsumer } from '../stream/consumer-port.ts';

/**
 * A stored consumer that this server cannot run (a feature it does not have yet, a configuration it cannot read). It is
 * left untouched, listed as offline, and holds back the messages it has not seen.
 */
export class OfflineConsumer implements StreamConsumer {
  readonly name: string;
  readonly reason: string;
  readonly store: ConsumerStore;
  readonly isHidden = false;
  readonly filter: SubjectFilter | null = null;
  readonly limitsInUse: { readonly inactiveThreshold: number; readonly maxAckPending: number } = {
    inactiveThreshold: 0,
    maxAckPending: 0,
  };
  readonly ackFloorSeq = 0;

  constructor(name: string, reason: string, store: ConsumerStore) {
    this.name = name;
    this.reason = reason;
    this.store = store;
  }

  needs(_seq: number): boolean {
    return true;
  }

  onStored(): void {}
  onCommitted(): void {}
  onRemoved(): void {}
  onPurged(): void {}
  onStreamUpdated(): void {}
  stop(): void {}

  info(): Readonly<Record<string, unknown>> {
    return { name: this.name, offline_reason: this.reason };
  }

  figures(): null {
    return null;
  }
}
