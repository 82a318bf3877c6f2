export type {
  ConsumerFigures,
  JetStream,
  JetStreamObserver,
  JetStreamTotals,
  RecoveryObserver,
  StorageStats,
  StreamFigures,
  StreamRecovery,
  SyncObserver,
} from '@nats-ts/jetstream';
export { ListenError, type ServerStatistics, type SlowConsumer } from '@nats-ts/server';
export { type EmbeddedJetStream, EmbeddedServer, type StartOptions, startServer } from './start-server.ts';
