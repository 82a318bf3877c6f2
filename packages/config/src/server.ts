// The part for a nats-server: without what reads the environment and YAML, and their libraries.
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
