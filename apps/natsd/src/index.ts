export type {
  ApiObserver,
  ConsumerFigures,
  JetStream,
  JetStreamObserver,
  JetStreamTotals,
  MessageObserver,
  ObservedFailure,
  ObservedMessage,
  ObservedRequest,
  RecoveryObserver,
  Settlement,
  StorageStats,
  StreamFigures,
  StreamRecovery,
  SyncObserver,
} from '@nats-ts/jetstream';
export { ListenError, type ServerStatistics, type SlowConsumer } from '@nats-ts/server';
export { type EmbeddedJetStream, EmbeddedServer, type StartOptions, startServer } from './start-server.ts';
