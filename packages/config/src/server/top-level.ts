import { type ConfNode, goTypeName } from '../conf/tree.ts';
import { type HostPort, parseHostPort } from '../go/address.ts';
import { durationMs, formatGoDuration } from '../go/duration.ts';
import { readAuthorization } from './authorization.ts';
import { readDuration, readDurationText } from './duration-field.ts';
import { asBoolean, asInt64, asInteger, asString, FieldError, type Findings, safeNumber } from './fields.ts';
import { readJetStream, setStoreDir } from './jetstream-block.ts';
import type { ServerSettings } from './settings.ts';
import { readTls } from './tls-block.ts';
import type { ReadFile } from './tls-material.ts';

/** What the reader of a key works with. */
interface FieldContext {
  readonly settings: ServerSettings;
  readonly findings: Findings;
  readonly readFile: ReadFile;
  /** The key in lower case. */
  readonly key: string;
}

type FieldReader = (node: ConfNode, context: FieldContext) => void;

const MAX_INT32 = 2n ** 31n - 1n;
const MAX_SUB_TOKENS = 255;
const MIN_LAME_DUCK_NS = 30_000_000_000n;

type KeysOf<T> = {
  [K in keyof ServerSettings]-?: ServerSettings[K] extends T | undefined ? K : never;
}[keyof ServerSettings];

function text(target: KeysOf<string>): FieldReader {
  return (node, { settings }) => {
    settings[target] = asString(node);
  };
}

function flag(target: KeysOf<boolean>): FieldReader {
  return (node, { settings }) => {
    settings[target] = asBoolean(node);
  };
}

function integer(target: KeysOf<number>): FieldReader {
  return (node, { settings }) => {
    settings[target] = asInteger(node);
  };
}

function duration(target: KeysOf<number>): FieldReader {
  return (node, { settings, findings, key }) => {
    settings[target] = readDuration(key, node, findings);
  };
}

/** An integer that nats-server keeps in 32 bits. */
function int32(target: KeysOf<number>): FieldReader {
  return (node, { settings, key }) => {
    const value = asInt64(node);
    if (value > MAX_INT32) throw new FieldError(node.place, `${key} value is too big`);
    settings[target] = Number(BigInt.asIntN(32, value));
  };
}

function hostPort(node: ConfNode): HostPort {
  const { value, place } = node;
  if (typeof value === 'bigint') return { host: '', port: safeNumber(value, place) };
  if (typeof value !== 'string') throw new FieldError(place, `expected port or host:port, got ${goTypeName(value)}`);
  const parsed = parseHostPort(value);
  if (typeof parsed === 'string') throw new FieldError(place, parsed);
  return parsed;
}

const readListen: FieldReader = (node, { settings }) => {
  const { host, port } = hostPort(node);
  settings.host = host;
  settings.port = port;
};

const readHttp: FieldReader = (node, { settings, key }) => {
  const { host, port } = hostPort(node);
  settings.httpHost = host;
  if (key === 'https') settings.httpsPort = port;
  else settings.httpPort = port;
};

const readServerName: FieldReader = (node, { settings }) => {
  const name = asString(node);
  if (name.includes(' ')) throw new FieldError(node.place, 'server name cannot contain spaces');
  settings.serverName = name;
};

const readServerTags: FieldReader = (node, { settings }) => {
  const { value, place } = node;
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw new FieldError(place, `error parsing tags: unsupported type ${goTypeName(value)}`);
  }
  const tags = new Set<string>();
  for (const element of typeof value === 'string' ? [node] : value) {
    if (typeof element.value !== 'string') {
      throw new FieldError(place, 'error parsing tags: unsupported type *conf.token where string is expected');
    }
    tags.add(element.value.trim().toLowerCase());
  }
  tags.delete('');
  settings.serverTags = [...tags];
};

const readServerMetadata: FieldReader = (node, { settings }) => {
  if (!(node.value instanceof Map)) {
    throw new FieldError(node.place, `error parsing metadata: unsupported type ${goTypeName(node.value)}`);
  }
  const entries = [...node.value].map(([key, child]) => [key, asString(child)] as const);
  settings.serverMetadata = Object.fromEntries(entries);
};

/** A kind of tracing that switches tracing itself too. */
function traceFlag(target: 'traceVerbose' | 'traceHeaders'): FieldReader {
  return (node, { settings }) => {
    settings[target] = asBoolean(node);
    settings.trace = asBoolean(node);
  };
}

const readMaxConnections: FieldReader = (node, { settings }) => {
  settings.maxConnections = asInteger(node) || -1; // 0 is nobody, not the default
};

const readMaxSubTokens: FieldReader = (node, { settings, key }) => {
  const tokens = asInteger(node);
  if (tokens > MAX_SUB_TOKENS) throw new FieldError(node.place, `${key} value is too big`);
  if (tokens <= 0) throw new FieldError(node.place, `${key} value can not be negative`);
  settings.maxSubTokens = tokens;
};

const readLameDuckDuration: FieldReader = (node, { settings }) => {
  const ns = readDurationText(node, 'error parsing lame_duck_duration: ');
  if (ns < MIN_LAME_DUCK_NS) {
    const given = formatGoDuration(ns);
    throw new FieldError(node.place, `invalid lame_duck_duration of ${given}, minimum is 30 seconds`);
  }
  settings.lameDuckDurationMs = durationMs(ns);
};

const readLameDuckGracePeriod: FieldReader = (node, { settings }) => {
  const ns = readDurationText(node, 'error parsing lame_duck_grace_period: ');
  if (ns < 0n) throw new FieldError(node.place, 'invalid lame_duck_grace_period, needs to be positive');
  settings.lameDuckGracePeriodMs = durationMs(ns);
};

/** The keys of the top level that are served, in lower case. */
export const TOP_LEVEL_FIELDS: ReadonlyMap<string, FieldReader> = new Map(
  Object.entries({
    listen: readListen,
    host: text('host'),
    net: text('host'),
    port: integer('port'),
    client_advertise: text('clientAdvertise'),
    server_name: readServerName,
    server_tags: readServerTags,
    server_metadata: readServerMetadata,
    debug: flag('debug'),
    trace: flag('trace'),
    trace_verbose: traceFlag('traceVerbose'),
    trace_headers: traceFlag('traceHeaders'),
    logtime: flag('logtime'),
    logtime_utc: flag('logtimeUtc'),
    logfile: text('logFile'),
    log_file: text('logFile'),
    logfile_size_limit: integer('logSizeLimitBytes'),
    log_size_limit: integer('logSizeLimitBytes'),
    logfile_max_num: integer('logMaxFiles'),
    log_max_num: integer('logMaxFiles'),
    max_traced_msg_len: integer('maxTracedMsgLenBytes'),
    pid_file: text('pidFile'),
    pidfile: text('pidFile'),
    ports_file_dir: text('portsFileDir'),
    http: readHttp,
    https: readHttp,
    http_port: integer('httpPort'),
    monitor_port: integer('httpPort'),
    https_port: integer('httpsPort'),
    http_base_path: text('httpBasePath'),
    max_connections: readMaxConnections,
    max_conn: readMaxConnections,
    max_control_line: int32('maxControlLineBytes'),
    max_payload: int32('maxPayloadBytes'),
    max_pending: integer('maxPendingBytes'),
    max_subscriptions: integer('maxSubscriptions'),
    max_subs: integer('maxSubscriptions'),
    max_sub_tokens: readMaxSubTokens,
    max_subscription_tokens: readMaxSubTokens,
    max_closed_clients: integer('maxClosedClients'),
    ping_interval: duration('pingIntervalMs'),
    ping_max: integer('maxPingsOut'),
    write_deadline: duration('writeDeadlineMs'),
    no_fast_producer_stall: flag('noFastProducerStall'),
    no_header_support: flag('noHeaderSupport'),
    disable_sublist_cache: flag('noSublistCache'),
    no_sublist_cache: flag('noSublistCache'),
    authorization: (node, { settings, findings }) => readAuthorization(node, settings, findings),
    no_auth_user: text('noAuthUser'),
    tls: (node, { settings, findings, readFile }) => {
      settings.tls = readTls(node, findings, readFile);
    },
    allow_non_tls: flag('allowNonTls'),
    jetstream: (node, { settings, findings }) => readJetStream(node, settings, findings),
    store_dir: (node, { settings }) => setStoreDir(settings, node),
    storedir: (node, { settings }) => setStoreDir(settings, node),
    no_system_account: flag('noSystemAccount'),
    no_system: flag('noSystemAccount'),
    no_sys_acc: flag('noSystemAccount'),
    lame_duck_duration: readLameDuckDuration,
    lame_duck_grace_period: readLameDuckGracePeriod,
  } satisfies Record<string, FieldReader>),
);

/** The keys of the top level that nats-server takes and this program does not, in lower case. */
export const UNSUPPORTED_TOP_LEVEL: ReadonlySet<string> = new Set([
  'feature_flags',
  'syslog',
  'remote_syslog',
  'prof_port',
  'prof_block_rate',
  'write_timeout',
  'proxy_protocol',
  'proxies',
  'accounts',
  'mappings',
  'maps',
  'default_sentinel',
  'operator',
  'operators',
  'roots',
  'root',
  'root_operators',
  'root_operator',
  'resolver',
  'account_resolver',
  'accounts_resolver',
  'resolver_tls',
  'resolver_preload',
  'resolver_pinned_accounts',
  'trusted',
  'trusted_keys',
  'ocsp',
  'ocsp_cache',
  'connect_error_reports',
  'reconnect_error_reports',
  'cluster',
  'gateway',
  'leaf',
  'leafnodes',
  'websocket',
  'ws',
  'mqtt',
  'default_js_domain',
]);
