export { ApiError } from './errors/api-error.ts';
export { type ErrorName, type ErrorTemplate, JS_ERRORS } from './errors/errors.generated.ts';
export type { JetStreamTotals, StreamFigures } from './figures.ts';
export type {
  AccountLimits,
  ClientInfo,
  Clock,
  Host,
  HostAccount,
  HostMessage,
  HostSubscription,
  Ids,
  Log,
  Timer,
} from './host.ts';
export { JetStream } from './jetstream.ts';
export type { HealthzOptions, HealthzResult, JszOptions } from './monitor.ts';
export type {
  ApiObserver,
  JetStreamObserver,
  MessageObserver,
  ObservedFailure,
  ObservedMessage,
  ObservedRequest,
  ProgressObserver,
  RecoveryObserver,
  Settlement,
  StreamRecovery,
  SyncObserver,
} from './observer.ts';
export type { JetStreamLimits, JetStreamOptions, StreamDefaults } from './options.ts';
export {
  BLOCK_CACHE_BYTES_MAX,
  CONCURRENT_SYNCS_MAX,
  FileStorage,
  MemoryStorage,
  NodeFileSystem,
  type StorageDependencies,
  StoreLockedError,
} from './store/index.ts';
export type { Storage, StorageStats } from './store/store.ts';
export type { ConsumerFigures } from './stream/consumer-port.ts';
