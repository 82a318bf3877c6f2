import { compileFilter } from '@nats-ts/sublist';
import type { SubjectFilter } from '../../src/store/store.ts';
import type { ConsumerStopReason, RemovalReason, StreamConsumer } from '../../src/stream/consumer-port.ts';

/** A consumer that writes down what its stream tells it; messages are done with when the test says so. */
export class FakeConsumer implements StreamConsumer {
  readonly name: string;
  readonly isHidden: boolean;
  filter: SubjectFilter | null;
  limitsInUse: { inactiveThreshold: number; maxAckPending: number } = { inactiveThreshold: 0, maxAckPending: 1000 };
  ackFloorSeq = 0;
  readonly acked = new Set<number>();
  /** `stored 1 a`, `commit`, `removed 1 a limit`, `purged 5`, `updated`, `stopped deleted`. */
  readonly told: string[] = [];

  constructor(name: string, subjects: readonly string[] | null = null, isHidden = false) {
    this.name = name;
    this.isHidden = isHidden;
    this.filter = subjects === null ? null : compileFilter(subjects);
  }

  needs(seq: number): boolean {
    return seq > this.ackFloorSeq && !this.acked.has(seq);
  }

  onStored(seq: number, subject: string): void {
    this.told.push(`stored ${seq} ${subject}`);
  }

  onCommitted(): void {
    this.told.push('commit');
  }

  onRemoved(seq: number, subject: string, reason: RemovalReason): void {
    this.told.push(`removed ${seq} ${subject} ${reason}`);
  }

  onPurged(firstSeq: number): void {
    this.told.push(`purged ${firstSeq}`);
  }

  onStreamUpdated(): void {
    this.told.push('updated');
  }

  info(): Readonly<Record<string, unknown>> {
    return { name: this.name };
  }

  figures(): null {
    return null;
  }

  stop(reason: ConsumerStopReason): void {
    this.told.push(`stopped ${reason}`);
  }
}
