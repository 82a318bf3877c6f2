import type { ConsumerConfig } from './config.ts';

/**
 * The first feature of a configuration that nats-ts does not have yet, named as the user wrote it; null = all are there.
 * Requests with one are refused, a stored consumer with one stays offline: nothing is accepted and ignored.
 */
export function unsupportedFeature(config: ConsumerConfig): string | null {
  if (config.ack_policy === 'flow_control') return 'ack_policy "flow_control"';
  if (config.priority_policy !== 'none') return `priority groups (priority_policy "${config.priority_policy}")`;
  if (config.direct) return 'a hidden consumer (direct)';
  if (config.sourcing) return 'a consumer for mirrors and sources (sourcing)';
  return null;
}
