import { parseTime } from '../json/go-time.ts';
import type { AckPolicy, ConsumerConfig } from './config.ts';
import { ceilMs } from './go-duration.ts';
import { samplePercent } from './sampling.ts';

/** What the delivery path needs of a configuration, in milliseconds and plain numbers. */
export interface Settings {
  readonly ackPolicy: AckPolicy;
  /** Acks are due after the one that fits the number of deliveries; the last one repeats. Never empty. */
  readonly ackWaitsMs: readonly number[];
  /** 0 = unlimited. */
  readonly maxDeliver: number;
  /** 0 = unlimited. */
  readonly maxAckPending: number;
  readonly headersOnly: boolean;
  /** Percentage of acks that is reported. */
  readonly samplePercent: number;
  /** 0 = none. */
  readonly idleHeartbeatMs: number;
  /** Bytes per second; 0 = unlimited. */
  readonly bytesPerSecond: number;
  /** No deliveries before this moment; 0 = not paused. */
  readonly pauseUntilMs: number;
}

export function settingsOf(config: ConsumerConfig): Settings {
  const waits = config.backoff.length > 0 ? config.backoff : [config.ack_wait];
  return {
    ackPolicy: config.ack_policy,
    ackWaitsMs: waits.map(ceilMs),
    maxDeliver: Math.max(0, Number(config.max_deliver)),
    maxAckPending: config.ack_policy === 'none' ? 0 : Math.max(0, Number(config.max_ack_pending)),
    headersOnly: config.headers_only,
    samplePercent: samplePercent(config.sample_freq),
    idleHeartbeatMs: ceilMs(config.idle_heartbeat),
    bytesPerSecond: Math.floor(Number(config.rate_limit_bps) / 8),
    pauseUntilMs: config.pause_until === '' ? 0 : parseTime(config.pause_until).ms,
  };
}

/** How long the ack of a message may take that was delivered `deliveries` times, milliseconds. */
export function ackWaitMs(settings: Settings, deliveries: number): number {
  const waits = settings.ackWaitsMs;
  return waits[Math.min(deliveries, waits.length) - 1]!;
}
