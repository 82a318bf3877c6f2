import { apiError } from '../errors/api-error.ts';
import type { ConsumerLimitsConfig } from '../stream/config.ts';
import type { ConsumerConfig } from './config.ts';

/** How long a message may stay unacknowledged, nanoseconds. */
const ACK_WAIT_DEFAULT = 30_000_000_000;

/** Messages that may await their ack when the configuration says nothing. */
const MAX_ACK_PENDING_DEFAULT = 1000;

/** Pull requests that may wait when the configuration says nothing. */
const MAX_WAITING_DEFAULT = 512;

/** How long an ephemeral consumer outlives its last use, nanoseconds. */
export const EPHEMERAL_INACTIVE_THRESHOLD = 5_000_000_000;

/** Caps from server, account and stream that defaults respect; 0 or less = none. */
export interface DefaultCaps {
  readonly maxAckPending: number;
  readonly maxRequestBatch: number;
  readonly stream: ConsumerLimitsConfig;
}

/** Fields where a negative number means zero, in the order nats-server looks at them. */
const NOT_NEGATIVE = [
  'max_batch',
  'max_expires',
  'max_bytes',
  'idle_heartbeat',
  'inactive_threshold',
  'priority_timeout',
] as const;

/**
 * Puts the server's defaults where the request left something open (spec/jetstream.md 2.4). A pedantic request is
 * refused (10157) where it would be changed silently.
 */
export function applyDefaults(config: ConsumerConfig, caps: DefaultCaps, isPedantic: boolean): ConsumerConfig {
  const result: { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] } = { ...config };
  const refuseIfPedantic = (isChange: boolean, text: string): void => {
    if (isPedantic && isChange) throw apiError('Pedantic', { err: text });
  };

  refuseIfPedantic(result.max_deliver < -1, 'max_deliver must be set to -1');
  if (result.max_deliver === 0 || result.max_deliver < -1) result.max_deliver = -1;
  refuseIfPedantic(result.max_waiting < 0, 'max_waiting must not be negative');
  if (result.max_waiting < 0) result.max_waiting = 0;
  refuseIfPedantic(result.max_ack_pending < -1, 'max_ack_pending must be set to -1');
  if (result.max_ack_pending < -1) result.max_ack_pending = -1;
  for (const field of NOT_NEGATIVE) {
    refuseIfPedantic(result[field] < 0, `${field} must not be negative`);
    if (result[field] < 0) result[field] = 0;
  }

  const isPull = result.deliver_subject === '';
  if (isPull && result.max_waiting === 0) result.max_waiting = MAX_WAITING_DEFAULT;
  if (result.ack_wait === 0 && (result.ack_policy === 'explicit' || result.ack_policy === 'all')) {
    result.ack_wait = ACK_WAIT_DEFAULT;
  }
  const firstBackoff = result.backoff[0];
  if (firstBackoff !== undefined) {
    refuseIfPedantic(result.ack_wait !== firstBackoff, 'first backoff value has to equal batch AckWait');
    result.ack_wait = firstBackoff;
  }
  applyStreamLimits(result, caps.stream, refuseIfPedantic);
  if (result.max_ack_pending === 0 && result.ack_policy !== 'none') {
    const cap = caps.maxAckPending > 0 ? caps.maxAckPending : MAX_ACK_PENDING_DEFAULT;
    result.max_ack_pending = Math.min(MAX_ACK_PENDING_DEFAULT, cap);
  }
  if (isPull && result.max_batch === 0 && caps.maxRequestBatch > 0) {
    refuseIfPedantic(true, "max_request_batch must be set if it's JetStream limits are set");
    result.max_batch = caps.maxRequestBatch;
  }
  return result;
}

function applyStreamLimits(
  result: { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] },
  limits: ConsumerLimitsConfig,
  refuseIfPedantic: (isChange: boolean, text: string) => void,
): void {
  const maxAckPending = limits.max_ack_pending ?? 0;
  const inactiveThreshold = limits.inactive_threshold ?? 0;
  if (result.max_ack_pending === 0) {
    refuseIfPedantic(maxAckPending > 0, "max_ack_pending must be set if it's configured in stream limits");
    result.max_ack_pending = maxAckPending;
  }
  if (result.inactive_threshold === 0) {
    refuseIfPedantic(inactiveThreshold > 0, "inactive_threshold must be set if it's configured in stream limits");
    result.inactive_threshold = inactiveThreshold;
  }
}

/** What is stored of an ephemeral consumer that named no threshold: the default, without the jitter that is added to it. */
export function stampThreshold(config: ConsumerConfig): ConsumerConfig {
  if (config.durable_name !== '' || config.inactive_threshold > 0) return config;
  return { ...config, inactive_threshold: EPHEMERAL_INACTIVE_THRESHOLD };
}
