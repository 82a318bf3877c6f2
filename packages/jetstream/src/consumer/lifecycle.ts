import { type ApiError, apiError } from '../errors/api-error.ts';
import { formatTime } from '../json/go-time.ts';
import { NAME_BYTES_MAX } from '../store/shared/names.ts';
import type { ConsumerStore } from '../store/store.ts';
import type { ConsumerStream } from '../stream/consumer-port.ts';
import { type ConsumerConfig, compileConfigFilter, printConfig, sameConfig } from './config.ts';
import { checkConfig } from './config-check.ts';
import { applyDefaults, stampThreshold } from './config-defaults.ts';
import { checkUpdate } from './config-update.ts';
import { Consumer } from './consumer.ts';
import type { CreateRequest } from './create-request.ts';
import { deleteStore, finishDeletion } from './deletions.ts';
import { adoptLevel, stampMetadata } from './metadata.ts';
import { OfflineConsumer } from './offline-consumer.ts';
import { startPosition } from './start-position.ts';
import { checkPartition, checkWorkQueue, countLimited } from './work-queue.ts';

/** Length of the names the server gives to ephemeral consumers. */
const GENERATED_NAME_LENGTH = 8;

/** Creates or updates as the request's action says. Resolves with the consumer and what to start it with. */
export async function createOrUpdate(
  stream: ConsumerStream,
  request: CreateRequest,
): Promise<{ consumer: Consumer; isNew: boolean }> {
  const existing = request.config.name === '' ? undefined : stream.consumers.get(request.config.name);
  if (existing instanceof OfflineConsumer) throw apiError('ConsumerOfflineReason', { err: existing.reason });
  const current = existing instanceof Consumer ? existing : null;
  // Pausing has a request of its own.
  const asked = current === null ? request.config : { ...request.config, pause_until: current.config.pause_until };
  const config = complete(stream, stampMetadata(asked), request.isPedantic);
  checkConfig(config, stream.config, stream.limits);
  if (current !== null) {
    if (request.action === 'create' && !sameConfig(adoptLevel(config, current.config), current.config)) {
      throw apiError('ConsumerAlreadyExists');
    }
    await update(current, config);
    return { consumer: current, isNew: false };
  }
  if (request.action === 'update') throw apiError('ConsumerDoesNotExist');
  return { consumer: await create(stream, config), isNew: true };
}

/** The configuration with the server's defaults. */
export function complete(stream: ConsumerStream, config: ConsumerConfig, isPedantic: boolean): ConsumerConfig {
  const { maxAckPending, maxRequestBatch } = stream.limits;
  return applyDefaults(config, { maxAckPending, maxRequestBatch, stream: stream.config.consumer_limits }, isPedantic);
}

/** Puts a changed configuration into force when it is durable. */
export async function update(consumer: Consumer, config: ConsumerConfig): Promise<void> {
  const { stream } = consumer;
  checkPartition(stream, config);
  const isBound = (): boolean => stream.account.hasListeners(consumer.config.deliver_subject);
  checkUpdate(consumer.config, config, isBound);
  const next = stampThreshold(config);
  // To whoever asks again after a crash this confirms the creation, and with it where the consumer begins.
  await synced(consumer.store);
  await consumer.store.updateMeta({ created: consumer.created, config: printConfig(next) }).catch(storeFailed);
  if (consumer.isStopped) throw apiError('ConsumerDoesNotExist');
  consumer.update(next);
}

async function create(stream: ConsumerStream, asked: ConsumerConfig): Promise<Consumer> {
  checkRoom(stream, asked);
  if (Buffer.byteLength(asked.name) > NAME_BYTES_MAX) throw apiError('ConsumerNameTooLong', { max: NAME_BYTES_MAX });
  const name = asked.name === '' ? generateName(stream) : asked.name;
  // A name the server picked is not part of the configuration.
  const config = stampThreshold(asked);
  const created = formatTime(stream.host.clock.now(), 0);
  // A new consumer waits for its predecessor to be gone.
  await finishDeletion(stream, name).catch(storeFailed);
  const meta = { created, config: printConfig(config) };
  const store = await stream.storage.createConsumer(name, meta, config.mem_storage).catch(storeFailed);
  if (stream.isClosed || stream.consumers.has(name)) throw apiError('StreamInvalid');
  try {
    // Others may have been created meanwhile.
    checkRoom(stream, asked);
  } catch (error) {
    await deleteStore(stream, store).catch(storeFailed);
    throw error;
  }
  const start = startPosition(stream, config, compileConfigFilter(config));
  const consumer = new Consumer({ stream, name, created, config, store, start, onInactive: abandon });
  stream.addConsumer(consumer);
  try {
    await synced(store);
  } catch (error) {
    await remove(consumer);
    throw error;
  }
  if (consumer.isStopped) throw apiError('StreamInvalid');
  return consumer;
}

/** Refuses a consumer that the stream has no room for beside those it has. */
function checkRoom(stream: ConsumerStream, config: ConsumerConfig): void {
  const { maxConsumers } = stream.limits;
  if (maxConsumers > 0 && countLimited(stream) >= maxConsumers) throw apiError('MaximumConsumersLimit');
  checkWorkQueue(stream, config);
}

/** Takes a consumer out of service and deletes it. */
export async function remove(consumer: Consumer): Promise<void> {
  const { stream } = consumer;
  consumer.stop('deleted');
  stream.removeConsumer(consumer);
  await deleteStore(stream, consumer.store);
}

/** Deletes a consumer nobody used for as long as its threshold allows. */
export function abandon(consumer: Consumer): void {
  const { stream, name } = consumer;
  remove(consumer).catch((error: unknown) => {
    // It goes with its stream.
    if (stream.isClosed) return;
    const reason = error instanceof Error ? error.message : String(error);
    stream.host.log.error(
      `JetStream consumer '${stream.account.name} > ${stream.name} > ${name}' could not be deleted: ${reason}`,
    );
  });
}

function generateName(stream: ConsumerStream): string {
  for (;;) {
    const name = stream.host.ids.token(GENERATED_NAME_LENGTH);
    if (!stream.consumers.has(name)) return name;
  }
}

/** Settles when everything reported of the consumer is durable. Throws an ApiError when it cannot be. */
export function synced(store: ConsumerStore): Promise<void> {
  return new Promise<void>((resolve, reject) =>
    store.sync((error) => (error === null ? resolve() : reject(error))),
  ).catch(storeFailed);
}

function storeFailed(error: unknown): never {
  const failure: ApiError = apiError('ConsumerStoreFailed', {
    err: error instanceof Error ? error.message : String(error),
  });
  throw failure;
}
