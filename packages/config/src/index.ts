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
