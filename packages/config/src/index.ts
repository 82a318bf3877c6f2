export { type CommandLine, parseCommandLine } from './cli/command-line.ts';
export type { ServerFlags, TlsFlags } from './cli/server-flags.ts';
export { tlsUsageText, usageText } from './cli/usage.ts';
export { configDigest } from './conf/digest.ts';
export { MAX_CONFIG_DEPTH } from './conf/lexer.ts';
export {
  type ConfInputs,
  MAX_CONFIG_BYTES,
  MAX_INCLUDE_DEPTH,
  parseNatsConfig,
  parseNatsConfigFile,
} from './conf/parse.ts';
export { type ConfMap, type ConfNode, type ConfPlace, type ConfValue, goTypeName, placeText } from './conf/tree.ts';
export { ConfigError, type ConfigProblem, type ConfigStage } from './config-error.ts';
export type { EffectiveSetting } from './events/effective.ts';
export {
  type EventsConfig,
  type Flavour,
  LOG_LEVELS,
  type LogLevel,
  type RegistryKind,
  type ValueSource,
} from './events/events-config.ts';
export { type EventsInputs, type LoadedEventsConfig, loadEventsConfig } from './events/load-events-config.ts';
export type { EventsOptions } from './events/options.ts';
export { printEventsConfig, printEventsReference } from './events/print.ts';
export { eventsConfigReference, type ReferenceRow } from './events/reference.ts';
export type { OtlpProtocol, OtlpTarget, TraceSampler, TracingConfig } from './events/tracing-config.ts';
export { MAX_YAML_BYTES, MAX_YAML_MERGES } from './events/yaml-file.ts';
export {
  checkServerFile,
  type LoadedServerConfig,
  loadServerOptions,
  mergeOptions,
  NO_FLAGS,
  readConfigFile,
  type ServerFile,
} from './server/load.ts';
export type {
  CertificatePair,
  JetStreamConfig,
  JetStreamLimits,
  Permissions,
  ResponsePermission,
  ServerConfig,
  SubjectPermission,
  TlsConfig,
  UserConfig,
} from './server/server-config.ts';
export type { ServerSettings } from './server/settings.ts';
