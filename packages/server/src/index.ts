export type {
  AuthorizationOptions,
  PermissionsOptions,
  ResponsePermission,
  SubjectPermission,
  UserOptions,
} from './auth/options.ts';
export type { ClientInfo, InternalCallback, InternalMessage, PublisherHold } from './internal-message.ts';
export { ListenError } from './listener.ts';
export type { Health, HealthzOptions, JetStreamView, JszOptions } from './monitor/jetstream-view.ts';
export type { AccountJetStreamLimits, MonitorOptions, ServerOptions } from './options.ts';
export { OptionsError } from './options-error.ts';
export type { Clock, Ids, Logger, ServerDependencies, Timer } from './ports.ts';
export { NatsServer } from './server.ts';
export type { SlowConsumer, SlowConsumerReason, SlowSubscription } from './slow-consumers.ts';
export type { ServerStatistics } from './statistics.ts';
export type { TlsMaterial, TlsOptions } from './tls-options.ts';
