import { type JetStreamAccount, type OfflineAsset, storeOptions } from './account.ts';
import type { Engine } from './engine.ts';
import { ApiError } from './errors/api-error.ts';
import { decodeJson } from './json/decode.ts';
import { encodeJson } from './json/encode.ts';
import { JsonError } from './json/value.ts';
import { emptyMessage } from './store/shared/empty.ts';
import type { AssetMeta, OfflineStream, StreamStore, StreamStoreOptions } from './store/store.ts';
import type { StreamConfig } from './stream/config.ts';
import type { ConfigRules } from './stream/config-check.ts';
import { checkWithDefaults } from './stream/config-defaults.ts';
import { type RawStreamConfig, STORED_STREAM_CONFIG } from './stream/config-schema.ts';
import { enforceRecovered } from './stream/limits.ts';
import { API_LEVEL, requiredLevelOf, storedMetadata } from './stream/metadata.ts';
import { msgIdOf } from './stream/publish-headers.ts';
import { Stream } from './stream/stream.ts';
import { unsupportedFeature } from './stream/unsupported.ts';

/** Messages looked at in one turn of the event loop while a duplicate window is rebuilt. */
const REBUILD_CHUNK = 5_000;

/** Limits may have been lowered since a stream was stored: it stays in service. */
const NO_RULES: ConfigRules = {
  duplicateWindowMaxNs: 0,
  maxBytesRequired: false,
  maxStreamBytes: { file: 0, memory: 0 },
};

/** Brings back the streams of an account as the last run left them. What cannot run is untouched and listed as offline. */
export async function recoverAccount(engine: Engine, account: JetStreamAccount): Promise<void> {
  const { host, storage } = engine;
  const { streams, offline } = await storage.recoverAccount(account.name, (meta) => recoverOptions(engine, meta));
  for (const one of offline) {
    host.log.warn(`Stream '${account.name} > ${one.name}' is offline: ${one.reason}`);
    account.offline.set(one.name, offlineAsset(one));
  }
  const recovered: Stream[] = [];
  for (const store of streams) {
    const config = readStored(engine, store.meta);
    if (typeof config === 'string') {
      // The store was told so and would not have opened it.
      await refuse(account, store, config);
      continue;
    }
    const stream = new Stream(engine, account, store, config);
    account.streams.set(stream.name, stream);
    recovered.push(stream);
  }
  for (const stream of recovered) {
    await rebuildDedupe(stream);
    // Evictions leave no trace on disk: after a crash the store brings back what had just been evicted.
    enforceRecovered(stream);
    engine.consumers.recover(stream);
    stream.start();
    // Without a consumer nothing is removed: they may be missing because they could not be read.
    if (!stream.registry.isEmpty) stream.retention.check(stream.messages.firstSeq);
  }
}

/** How the store opens a stream, or why this server cannot run it. */
function recoverOptions(engine: Engine, meta: AssetMeta): StreamStoreOptions | { offline: string } {
  const config = readStored(engine, meta);
  return typeof config === 'string' ? { offline: config } : storeOptions(config);
}

/** The stored configuration with the server's defaults for its name, or why this server cannot run it, in nats-server's words where it has any. */
function readStored(engine: Engine, meta: AssetMeta): StreamConfig | string {
  try {
    const body = Buffer.from(encodeJson(meta.config));
    const raw = decodeJson(body, STORED_STREAM_CONFIG, { strict: true }) as RawStreamConfig;
    const level = requiredLevelOf(raw.metadata);
    if (!(level <= API_LEVEL)) {
      const required = raw.metadata?.['_nats.req.level'];
      return `unsupported - required API level: ${required}, current API level: ${API_LEVEL}`;
    }
    const feature = unsupportedFeature(raw);
    if (feature !== null) return `unsupported - ${feature} is not supported yet by nats-ts`;
    if ((raw.num_replicas ?? 1) > 1) return 'unsupported - replicas > 1 not supported in non-clustered mode';
    const { effective } = checkWithDefaults(raw, NO_RULES, engine.settings.streamDefaults.get(raw.name ?? ''));
    return { ...effective, metadata: storedMetadata(raw.metadata) };
  } catch (error) {
    if (error instanceof JsonError || error instanceof ApiError) return `unsupported - config error: ${error.message}`;
    throw error;
  }
}

async function refuse(account: JetStreamAccount, store: StreamStore, reason: string): Promise<void> {
  account.offline.set(store.name, offlineAsset({ name: store.name, reason, meta: store.meta }));
  await store.close();
}

function offlineAsset({ name, reason, meta }: OfflineStream): OfflineAsset {
  const subjects = meta?.config['subjects'];
  const isList = Array.isArray(subjects) && subjects.every((subject) => typeof subject === 'string');
  return { name, reason, subjects: isList ? subjects : [] };
}

/** Reads the message ids of the duplicate window back from the stored messages. */
async function rebuildDedupe(stream: Stream): Promise<void> {
  const { messages, dedupe, host } = stream;
  while (!stream.reloadLastMsgId() && (await warm(stream, messages.lastSeq)));
  if (dedupe.windowMs <= 0 || messages.messages === 0) return;
  const into = emptyMessage();
  const oldestMs = Math.floor(host.clock.now() - dedupe.windowMs);
  let seq = Math.max(1, messages.seqAtTime(oldestMs, 0));
  for (let looked = 1; ; looked++) {
    const found = messages.loadNext(null, seq, into);
    if (found === 'gone') return;
    if (found === 'cold') {
      if (!(await warm(stream, into.seq))) return;
      continue;
    }
    const id = msgIdOf(into);
    if (id !== '') dedupe.add(id, into.seq, into.timeMs);
    seq = into.seq + 1;
    if (looked % REBUILD_CHUNK === 0) await new Promise<void>((resolve) => host.clock.setTimer(resolve, 0));
  }
}

/** False when the block cannot be read. */
function warm(stream: Stream, seq: number): Promise<boolean> {
  return new Promise((resolve) => {
    stream.messages.warm(seq, (error) => {
      if (error !== null)
        stream.host.log.warn(`Stream '${stream.name}': message ${seq} cannot be read: ${error.message}`);
      resolve(error === null);
    });
  });
}
