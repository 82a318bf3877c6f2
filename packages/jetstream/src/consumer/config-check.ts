import { hasWildcards, isSubset, isValidSubject, SubjectSet } from '@nats-ts/sublist';
import { type ApiError, apiError, notSupportedYet } from '../errors/api-error.ts';
import type { StreamConfig } from '../stream/config.ts';
import type { ConsumerLimits } from '../stream/consumer-port.ts';
import { type ConsumerConfig, filterSubjects, isDurable, isPush } from './config.ts';
import { formatGoDuration } from './go-duration.ts';
import { checkSampling } from './sampling.ts';
import { checkStart } from './start-check.ts';
import { unsupportedFeature } from './unsupported.ts';

/** Longest description, bytes. */
export const DESCRIPTION_BYTES_MAX = 4096;

/** Keys and values of the metadata together, bytes. */
export const METADATA_BYTES_MAX: number = 128 * 1024;

/** Shortest idle heartbeat of a push consumer, nanoseconds. */
const IDLE_HEARTBEAT_MIN = 100_000_000;

/** Shortest cap on the expiry of pull requests, nanoseconds. */
const MAX_EXPIRES_MIN = 1_000_000;

/**
 * Refuses a configuration, defaults filled in, that the stream can not serve: the same checks in the same order as
 * nats-server, so that the same error wins when several things are wrong (spec/jetstream.md 2.4).
 */
export function checkConfig(config: ConsumerConfig, stream: StreamConfig, limits: ConsumerLimits): void {
  checkNames(config);
  checkReplicas(config, stream);
  checkAckTimes(config);
  if (Buffer.byteLength(config.description) > DESCRIPTION_BYTES_MAX) {
    throw apiError('ConsumerDescriptionTooLong', { max: DESCRIPTION_BYTES_MAX });
  }
  if (isPush(config)) checkPush(config, stream);
  else checkPull(config, stream, limits);
  checkCaps(config, stream, limits);
  if (config.direct && !isPush(config)) throw apiError('ConsumerDirectRequiresPush');
  if (config.direct && isDurable(config)) throw apiError('ConsumerDirectRequiresEphemeral');
  checkFilters(config);
  checkStart(config);
  checkSampling(config.sample_freq);
  if (config.flow_control && config.idle_heartbeat === 0) throw apiError('ConsumerWithFlowControlNeedsHeartbeats');
  if (isDurable(config) && config.name !== '' && config.name !== config.durable_name) {
    throw apiError('ConsumerCreateDurableAndNameMismatch');
  }
  checkMetadata(config);
  checkPriority(config);
  const feature = unsupportedFeature(config);
  if (feature !== null) throw notSupportedYet(feature, 'consumer');
}

/** True for a name that can be a token of a subject and a directory (as nats-server isValidAssetName). */
function isValidName(name: string): boolean {
  return name !== '' && !/[ \t\r\n\f.*>\\/]/.test(name);
}

function invalidConfig(text: string): ApiError {
  return apiError('StreamInvalidConfig', { err: text });
}

function checkNames(config: ConsumerConfig): void {
  if (config.name !== '' && !isValidName(config.name)) {
    throw invalidConfig("consumer name can not contain '.', '*', '>', '\\', '/'");
  }
  if (config.durable_name !== '' && !isValidName(config.durable_name)) {
    throw invalidConfig("consumer durable name can not contain '.', '*', '>', '\\', '/'");
  }
}

function checkReplicas(config: ConsumerConfig, stream: StreamConfig): void {
  if (config.num_replicas > 0 && config.num_replicas > stream.num_replicas) {
    throw apiError('ConsumerReplicasExceedsStream');
  }
  if (config.num_replicas < 0) throw apiError('ReplicasCountCannotBeNegative');
  const mustMatch = stream.retention === 'interest' || stream.retention === 'workqueue';
  if (mustMatch && config.num_replicas !== 0 && config.num_replicas !== stream.num_replicas) {
    throw apiError('ConsumerReplicasShouldMatchStream');
  }
}

function checkAckTimes(config: ConsumerConfig): void {
  if (config.backoff.some((delay) => delay < 0)) throw apiError('ConsumerBackOffNegative');
  if (config.ack_wait < 0) throw apiError('ConsumerAckWaitNegative');
  checkBackoffLength(config);
}

/** Also one of the rules of an update. */
export function checkBackoffLength(config: ConsumerConfig): void {
  if (config.max_deliver !== -1 && config.backoff.length > 0 && config.backoff.length > config.max_deliver) {
    throw apiError('ConsumerMaxDeliverBackoff');
  }
}

function checkPush(config: ConsumerConfig, stream: StreamConfig): void {
  const subject = config.deliver_subject;
  if (hasWildcards(subject)) throw apiError('ConsumerDeliverToWildcards');
  if (!isValidSubject(subject)) throw apiError('ConsumerInvalidDeliverSubject');
  if (stream.subjects?.some((pattern) => isSubset(subject, pattern))) throw apiError('ConsumerDeliverCycle');
  if (config.max_waiting !== 0) throw apiError('ConsumerPushMaxWaiting');
  if (config.max_ack_pending > 0 && config.ack_policy === 'none') {
    throw apiError('ConsumerMaxPendingAckPolicyRequired');
  }
  if (config.idle_heartbeat > 0 && config.idle_heartbeat < IDLE_HEARTBEAT_MIN) {
    throw apiError('ConsumerSmallHeartbeat');
  }
}

function checkPull(config: ConsumerConfig, stream: StreamConfig, limits: ConsumerLimits): void {
  if (config.ack_policy === 'none' && stream.retention === 'workqueue') throw apiError('ConsumerPullRequiresAck');
  if (config.rate_limit_bps > 0) throw apiError('ConsumerPullWithRateLimit');
  if (config.idle_heartbeat > 0) throw apiError('ConsumerHBRequiresPush');
  if (config.flow_control) throw apiError('ConsumerFCRequiresPush');
  if (config.max_expires !== 0 && config.max_expires < MAX_EXPIRES_MIN) {
    throw apiError('ConsumerMaxRequestExpiresTooSmall');
  }
  if (limits.maxRequestBatch > 0 && config.max_batch > limits.maxRequestBatch) {
    throw apiError('ConsumerMaxRequestBatchExceeded', { limit: limits.maxRequestBatch });
  }
}

function checkCaps(config: ConsumerConfig, stream: StreamConfig, limits: ConsumerLimits): void {
  for (const limit of [limits.maxAckPending, stream.consumer_limits.max_ack_pending ?? 0]) {
    if (limit > 0 && config.max_ack_pending > limit)
      throw apiError('ConsumerMaxPendingAckExcess', { limit: String(limit) });
  }
  const threshold = stream.consumer_limits.inactive_threshold ?? 0;
  if (threshold > 0 && config.inactive_threshold > threshold) {
    throw apiError('ConsumerInactiveThresholdExcess', { limit: formatGoDuration(threshold) });
  }
}

function checkFilters(config: ConsumerConfig): void {
  if (config.filter_subject !== '' && config.filter_subjects.length > 0) {
    throw apiError('ConsumerDuplicateFilterSubjects');
  }
  if (config.filter_subjects.includes('')) throw apiError('ConsumerEmptyFilter');
  const filters = filterSubjects(config);
  const all = new SubjectSet(filters.filter(isValidSubject));
  for (const filter of filters) {
    if (!isValidSubject(filter)) throw invalidConfig('invalid subject');
    // It is covered by itself.
    if (all.countCovering(filter, 2) > 1) throw apiError('ConsumerOverlappingSubjectFilters');
  }
}

function checkMetadata(config: ConsumerConfig): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(config.metadata))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > METADATA_BYTES_MAX) {
    throw apiError('ConsumerMetadataLength', { limit: `${METADATA_BYTES_MAX / 1024}KB` });
  }
}

function checkPriority(config: ConsumerConfig): void {
  if (config.priority_policy !== 'none') return;
  if (config.priority_groups.length > 0) throw apiError('ConsumerPriorityGroupWithPolicyNone');
  if (config.priority_timeout > 0) throw apiError('ConsumerPinnedTTLWithoutPriorityPolicyNone');
}
