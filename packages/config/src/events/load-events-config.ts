import { ConfigError, type ConfigProblem } from '../config-error.ts';
import { fileErrorText } from '../go/file-error.ts';
import { goQuote } from '../go/quote.ts';
import { type EffectiveSetting, effectiveSettings } from './effective.ts';
import { type Environment, fromEnvironment, type GivenText } from './environment.ts';
import type { EventsConfig, Flavour, LogLevel, ValueSource } from './events-config.ts';
import { maskAddress } from './mask.ts';
import { type EventsOptions, fromOptions } from './options.ts';
import { defaultClusterId, defaultDataDir, flavourOf, yamlCandidates } from './paths.ts';
import { REGISTRY_KINDS } from './registry-settings.ts';
import { resolveSettings, type SettingValues } from './schema.ts';
import { expectedInstead, type SettingValue } from './setting-value.ts';
import { SETTINGS } from './settings.ts';
import { resolveTracing } from './tracing.ts';
import type { TracingConfig } from './tracing-config.ts';
import { readYaml, type YamlValues } from './yaml-file.ts';

/** What the configuration is made from; nothing else is looked at. */
export interface EventsInputs {
  readonly env: Environment;
  /** Reads a file; throws as node:fs does. A file that is not there is fine. */
  readonly readFile: (path: string) => Uint8Array;
  /** The user's home directory; empty if there is none. */
  readonly home: string;
  /** Whether a directory can be written to, or made. Must not make it. */
  readonly canMake: (dir: string) => boolean;
  /** Settings of a program that starts the service inside of it; they count over everything else. */
  readonly options?: EventsOptions;
  /** Defaults of whoever starts the service; the environment and the file still count over them. */
  readonly defaults?: {
    /** Instead of the system's and the user's data directory; a base data path still counts over it. */
    readonly storeDir?: string;
    readonly logLevel?: LogLevel;
  };
}

/** A configuration, where its values came from, and what the operator should be told. */
export interface LoadedEventsConfig {
  readonly config: EventsConfig;
  /** By the keys of the reference: `nats.port`. */
  readonly sources: ReadonlyMap<string, ValueSource>;
  /** The same as `config`, to be shown: every setting with its source, secrets masked. */
  readonly settings: readonly EffectiveSetting[];
  /** The YAML file that was read; null: none was there. */
  readonly yamlFile: string | null;
  readonly warnings: readonly string[];
}

const DEFAULT_LOG_LEVEL = 'error';
const EVERY_ADDRESS = '0.0.0.0';
const NATS_PORT = 4222;
const NO_YAML: YamlValues = { given: new Map(), problems: [], warnings: [] };

/**
 * Loads the configuration of the events-service: environment over `nats.yaml` over defaults, in the shape of the oCIS
 * and OpenCloud `nats` service (spec/ocis.md 1).
 *
 * @throws ConfigError listing everything that is wrong, each with its source, key, value and what was expected
 */
export function loadEventsConfig(inputs: EventsInputs): LoadedEventsConfig {
  const { env, home } = inputs;
  const flavour = flavourOf(env);
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const yamlFile = findYaml(yamlCandidates(env, flavour, home), inputs, problems);
  const yaml = yamlFile === null ? NO_YAML : readYaml(yamlFile.path, yamlFile.text, env);
  problems.push(...yaml.problems);
  warnings.push(...yaml.warnings);
  const given = new Map<string, GivenText>();
  const options = fromOptions(inputs.options ?? {}, problems);
  for (const setting of SETTINGS) {
    const one = options.get(setting.key) ?? fromEnvironment(setting, env, warnings);
    if (one !== null) given.set(setting.key, one);
  }
  const sources = new Map<string, ValueSource>();
  for (const { key } of SETTINGS) sources.set(key, sourceOf(key, given.get(key), yaml.given.get(key)));
  const defaults = workedOutDefaults(inputs, flavour, sources, problems);
  const values = resolveSettings(given, yaml.given, defaults);
  for (const setting of SETTINGS) {
    const value = values.get(setting.key);
    const expected = expectedInstead(setting, value);
    if (expected === null) continue;
    const text = (given.get(setting.key) ?? yaml.given.get(setting.key))?.text ?? String(value);
    const shown = setting.secret ? 'not usable' : goQuote(setting.address === true ? maskAddress(text) : text);
    problems.push(problemOf(sources, setting.key, `is ${shown}, expected ${expected}`));
  }
  checkTogether(values, sources, problems);
  warnIfShortLived(values, sources, warnings);
  const tracing = resolveTracing(
    values,
    sources,
    (key, text) => problems.push(problemOf(sources, key, text)),
    warnings,
  );
  if (problems.length > 0) throw new ConfigError(problems, warnings);
  const effective = withMeanings(values);
  return {
    config: build(effective, flavour, tracing, sources.get('registry.address')!.kind !== 'default'),
    sources,
    settings: effectiveSettings(effective, sources),
    yamlFile: yamlFile?.path ?? null,
    warnings,
  };
}

function findYaml(
  candidates: readonly string[],
  inputs: EventsInputs,
  problems: ConfigProblem[],
): { path: string; text: string } | null {
  for (const path of candidates) {
    try {
      return { path, text: Buffer.from(inputs.readFile(path)).toString('utf8') };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      problems.push({ text: fileErrorText(path, error), source: path });
      return null;
    }
  }
  return null;
}

function sourceOf(key: string, given: GivenText | undefined, inYaml: GivenText | undefined): ValueSource {
  if (given !== undefined) {
    const kind = given.place.startsWith('env ') ? 'env' : 'option';
    return { kind, text: given.place, place: given.place };
  }
  if (inYaml !== undefined) return { kind: 'yaml', text: `${inYaml.place} ${key}`, place: inYaml.place };
  return { kind: 'default', text: 'default', place: 'default' };
}

/** The defaults that depend on the environment; a base data path is the source of what it gives. */
function workedOutDefaults(
  inputs: EventsInputs,
  flavour: Flavour,
  sources: Map<string, ValueSource>,
  problems: ConfigProblem[],
): Map<string, string> {
  const defaults = new Map([
    ['nats.clusterid', defaultClusterId(flavour)],
    ['log.level', inputs.defaults?.logLevel ?? ''],
  ]);
  const { dir, place } = defaultDataDir(inputs.env, flavour, inputs.home, inputs.canMake, inputs.defaults?.storeDir);
  const below = { 'nats.store_dir': dir, 'nats.tls_cert': `${dir}/tls.crt`, 'nats.tls_key': `${dir}/tls.key` };
  for (const [key, path] of Object.entries(below)) {
    defaults.set(key, path);
    if (sources.get(key)!.kind === 'default' && place !== 'default') {
      sources.set(key, { kind: 'env', text: place, place });
    }
  }
  if (dir === '' && sources.get('nats.store_dir')!.kind === 'default') {
    const text = 'there is no directory for data: the system directory cannot be made, and there is no home directory';
    problems.push(problemOf(sources, 'nats.store_dir', `is not set, and ${text}; set NATS_NATS_STORE_DIR`));
  }
  return defaults;
}

/** What only makes sense together. */
function checkTogether(
  values: SettingValues,
  sources: ReadonlyMap<string, ValueSource>,
  problems: ConfigProblem[],
): void {
  for (const section of ['nats', 'registry']) {
    const [user, password] = [`${section}.auth_username`, `${section}.auth_password`];
    const hasUser = values.get(user) !== '';
    if (hasUser === (values.get(password) !== '')) continue;
    const [given, missing] = hasUser ? [user, password] : [password, user];
    problems.push(problemOf(sources, given, `is set without ${missing}, expected both or none`));
  }
  checkDisk(values, sources, problems);
  checkTls(values, sources, problems);
  checkOtherTls(values, sources, problems);
}

function checkDisk(values: SettingValues, sources: ReadonlyMap<string, ValueSource>, problems: ConfigProblem[]): void {
  const [key, other] = ['nats.disk_warn_percent', 'nats.disk_critical_percent'];
  const [warn, critical] = [Number(values.get(key)), Number(values.get(other))];
  // What is no share at all is reported already.
  if (critical <= 0 || warn <= critical || warn > 100) return;
  const [given, text] =
    sources.get(key)!.kind === 'default'
      ? [other, `is ${critical}, expected at least ${key}, which is ${warn}`]
      : [key, `is ${warn}, expected at most ${other}, which is ${critical}`];
  problems.push(problemOf(sources, given, text));
}

/** Accepted as the Go services do, who then serve nobody half of the time. */
function warnIfShortLived(values: SettingValues, sources: ReadonlyMap<string, ValueSource>, warnings: string[]): void {
  const [key, ttl] = ['registry.register_interval', 'registry.register_ttl'];
  const [intervalMs, ttlMs] = [Number(values.get(key)), Number(values.get(ttl))];
  if (!(intervalMs >= ttlMs)) return;
  const isGiven = sources.get(key)!.kind !== 'default';
  const { place } = sources.get(isGiven ? key : ttl)!;
  const text = 'services count as gone before they say again that they are there';
  warnings.push(`${place}: ${key} (${intervalMs / 1000}s) is not shorter than ${ttl} (${ttlMs / 1000}s): ${text}`);
}

/** TLS of the registry and of the gRPC server. */
function checkOtherTls(
  values: SettingValues,
  sources: ReadonlyMap<string, ValueSource>,
  problems: ConfigProblem[],
): void {
  const isSet = (key: string): boolean => values.get(key) !== '' && values.get(key) !== false;
  const report = (key: string, text: string): unknown => problems.push(problemOf(sources, key, text));
  for (const section of ['registry', 'grpc']) {
    const [cert, key] = [`${section}.tls_cert`, `${section}.tls_key`];
    if (isSet(cert) !== isSet(key)) {
      const [given, missing] = isSet(cert) ? [cert, key] : [key, cert];
      report(given, `is set without ${missing}, expected both or none`);
    }
  }
  for (const name of ['tls_root_ca_certificate', 'tls_cert', 'tls_insecure']) {
    const key = `registry.${name}`;
    if (isSet(key) && !isSet('registry.enable_tls'))
      report(key, 'is set, expected registry.enable_tls to be true then');
  }
  if (isSet('grpc.tls_client_ca') && !isSet('grpc.tls_cert'))
    report('grpc.tls_client_ca', 'is set without grpc.tls_cert, expected both or only the latter');
}

function checkTls(values: SettingValues, sources: ReadonlyMap<string, ValueSource>, problems: ConfigProblem[]): void {
  const isOn = values.get('nats.enable_tls') === true;
  for (const key of ['nats.tls_cert', 'nats.tls_key']) {
    if (isOn && values.get(key) === '') problems.push(problemOf(sources, key, 'is empty, expected a file'));
  }
  if (values.get('nats.tls_client_ca') === '') return;
  const report = (text: string): unknown => problems.push(problemOf(sources, 'nats.tls_client_ca', text));
  if (!isOn) report('is set, but nobody is asked for a certificate: expected nats.enable_tls to be true');
  else if (values.get('nats.tls_skip_verify_client_cert') === true) {
    const { place } = sources.get('nats.tls_skip_verify_client_cert')!;
    report(`is set, but clients need no certificate: expected nats.tls_skip_verify_client_cert (${place}) to be false`);
  }
}

/** A sentence that begins with who gave the value and its key. */
function problemOf(sources: ReadonlyMap<string, ValueSource>, key: string, text: string): ConfigProblem {
  const source = sources.get(key)!.place;
  return { text: `${source}: ${key} ${text}`, source, key };
}

/** Values that stand for others, as those others. */
function withMeanings(values: SettingValues): SettingValues {
  const meant = new Map<string, SettingValue>(values);
  if (meant.get('nats.host') === '') meant.set('nats.host', EVERY_ADDRESS);
  if (meant.get('nats.port') === 0) meant.set('nats.port', NATS_PORT);
  meant.set('log.level', String(meant.get('log.level')).toLowerCase() || DEFAULT_LOG_LEVEL);
  return meant;
}

function build(values: SettingValues, flavour: Flavour, tracing: TracingConfig, isRegistrySet: boolean): EventsConfig {
  const text = (key: string): string => String(values.get(key));
  const flag = (key: string): boolean => values.get(key) === true;
  const number = (key: string): number => Number(values.get(key));
  return {
    flavour,
    tracing,
    log: {
      level: text('log.level') as LogLevel,
      pretty: flag('log.pretty'),
      color: flag('log.color'),
      file: text('log.file'),
    },
    debug: {
      addr: text('debug.addr'),
      token: text('debug.token'),
      pprof: flag('debug.pprof'),
      zpages: flag('debug.zpages'),
    },
    nats: {
      host: text('nats.host'),
      port: number('nats.port'),
      clusterId: text('nats.clusterid'),
      storeDir: text('nats.store_dir'),
      tlsCert: text('nats.tls_cert'),
      tlsKey: text('nats.tls_key'),
      tlsSkipVerifyClientCert: flag('nats.tls_skip_verify_client_cert'),
      tlsClientCa: text('nats.tls_client_ca'),
      enableTls: flag('nats.enable_tls'),
      authUsername: text('nats.auth_username'),
      authPassword: text('nats.auth_password'),
      mainQueueMaxAgeMs: number('nats.main_queue_max_age'),
      mainQueueMaxBytes: number('nats.main_queue_max_bytes'),
      diskWarnPercent: number('nats.disk_warn_percent'),
      diskCriticalPercent: number('nats.disk_critical_percent'),
    },
    registry: {
      kind: REGISTRY_KINDS[text('registry.type')]!,
      addresses: isRegistrySet ? (values.get('registry.address') as readonly string[]) : [],
      authUsername: text('registry.auth_username'),
      authPassword: text('registry.auth_password'),
      enableTls: flag('registry.enable_tls'),
      tlsRootCaCertificate: text('registry.tls_root_ca_certificate'),
      tlsCert: text('registry.tls_cert'),
      tlsKey: text('registry.tls_key'),
      tlsInsecure: flag('registry.tls_insecure'),
      registerIntervalMs: number('registry.register_interval'),
      registerTtlMs: number('registry.register_ttl'),
    },
    grpc: {
      addr: text('grpc.addr'),
      token: text('grpc.token'),
      tlsCert: text('grpc.tls_cert'),
      tlsKey: text('grpc.tls_key'),
      tlsClientCa: text('grpc.tls_client_ca'),
    },
  };
}
