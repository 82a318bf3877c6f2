import type { SyncObserver } from '@nats-ts/natsd';

/** Upper bounds of the buckets of sync times, milliseconds; what took longer is in one more. */
export const SYNC_BUCKETS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** Counts syncs by how long they took. Plain numbers: nothing is allocated per sync. */
export class SyncFigures implements SyncObserver {
  /** Syncs per bucket, not cumulative; the last one is for those above all bounds. */
  readonly counts: Float64Array = new Float64Array(SYNC_BUCKETS_MS.length + 1);
  count = 0;
  sumMs = 0;
  bytes = 0;
  messages = 0;

  syncBegan(): number {
    return performance.now();
  }

  syncEnded(
    began: number,
    _account: string,
    _stream: string,
    bytes: number,
    messages: number,
    error: Error | null,
  ): void {
    if (error !== null) return;
    this.add(performance.now() - began);
    this.bytes += bytes;
    this.messages += messages;
  }

  /** One sync that took so long, in milliseconds. */
  add(ms: number): void {
    let bucket = 0;
    while (bucket < SYNC_BUCKETS_MS.length && ms > SYNC_BUCKETS_MS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.count++;
    this.sumMs += ms;
  }
}
