import { ApiError } from '../errors/api-error.ts';
import type { AssetMeta } from '../store/store.ts';
import type { ConsumerModule, ConsumerStream } from '../stream/consumer-port.ts';
import { API_LEVEL, requiredLevelOf } from '../stream/metadata.ts';
import { CONSUMER_ROUTES } from './api.ts';
import { type ConsumerConfig, compileConfigFilter, completeConfig, type RequestedConfig } from './config.ts';
import { Consumer } from './consumer.ts';
import { abandon, complete } from './lifecycle.ts';
import { OfflineConsumer } from './offline-consumer.ts';
import { startPosition } from './start-position.ts';
import { unsupportedFeature } from './unsupported.ts';

/** The consumer part of the engine. */
export const consumerModule: ConsumerModule = {
  routes: CONSUMER_ROUTES,

  recover(stream: ConsumerStream): void {
    const recovered: Consumer[] = [];
    for (const { name, meta, store } of stream.storage.recoveredConsumers()) {
      const config = readStored(stream, meta);
      if (typeof config === 'string') {
        stream.host.log.warn(`Consumer '${stream.account.name} > ${stream.name} > ${name}' is offline: ${config}`);
        stream.addConsumer(new OfflineConsumer(name, config, store));
        continue;
      }
      const consumer = new Consumer({
        stream,
        name,
        created: meta.created,
        config,
        store,
        start: store.hasState ? null : startPosition(stream, config, compileConfigFilter(config)),
        onInactive: abandon,
      });
      stream.addConsumer(consumer);
      recovered.push(consumer);
    }
    // All of them are in place before the first delivers or acks anything.
    for (const consumer of recovered) consumer.start();
  },
};

/** A stored configuration, or why this server cannot run it. */
function readStored(stream: ConsumerStream, meta: AssetMeta): ConsumerConfig | string {
  const stored = completeConfig(meta.config as RequestedConfig);
  const level = requiredLevelOf(stored.metadata);
  if (!(level <= API_LEVEL)) {
    return `unsupported - required API level: ${stored.metadata['_nats.req.level']}, current API level: ${API_LEVEL}`;
  }
  const feature = unsupportedFeature(stored);
  if (feature !== null) return `${feature} is not supported yet by nats-ts`;
  try {
    return complete(stream, stored, false);
  } catch (error) {
    if (error instanceof ApiError) return error.description;
    throw error;
  }
}
