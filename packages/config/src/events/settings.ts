import { isIP } from 'node:net';
import { LOG_LEVELS } from './events-config.ts';
import { isAddress, REGISTRY_SETTINGS } from './registry-settings.ts';
import { TRACING_SETTINGS } from './tracing-settings.ts';

/** What a setting's text is read as. */
export type SettingKind = 'text' | 'integer' | 'flag' | 'list' | 'duration' | 'bytes';

/** A setting of the events-service. */
export interface Setting {
  /** Its place in the YAML file, and its name everywhere else. */
  readonly key: string;
  /** Whether the YAML file may give it; the others come from the environment only. */
  readonly inYaml: boolean;
  /** Variables that give it; the last one that is set counts. */
  readonly env: readonly string[];
  readonly kind: SettingKind;
  /** As text; null: worked out from other settings (see `describeDefault`). */
  readonly default: string | null;
  /** The default in words, where it is no fixed text. */
  readonly describeDefault?: string;
  readonly description: string;
  /** The value is never shown. */
  readonly secret?: true;
  /** An address that may hold a login or a key, which are never shown. */
  readonly address?: true;
  /** Its place in `EventsConfig`, where that does not follow from the key (see `optionPath`). */
  readonly option?: string;
  /** Set but empty counts as not set, although it is a text. */
  readonly emptyIsUnset?: true;
  /** What is expected, in words; shown when `accepts` says no. */
  readonly expected?: string;
  readonly accepts?: (value: string | number | boolean | readonly string[]) => boolean;
}

const MAX_PORT = 65_535;
/** Shortest max_age a stream can have. */
const MAX_AGE_MIN_MS = 100;

const isPort = (value: unknown): boolean => typeof value === 'number' && value >= -1 && value <= MAX_PORT;
const isPercent = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 100;
const isMaxAge = (value: unknown): boolean => value === 0 || (typeof value === 'number' && value >= MAX_AGE_MIN_MS);
const isHost = (value: unknown): boolean => {
  const host = String(value);
  // What looks like an IPv4 address has to be one.
  return host === '' || isIP(host) !== 0 || (/^[^\s:/[\]]+$/.test(host) && !/^[\d.]+$/.test(host));
};
const isLevel = (value: unknown): boolean =>
  value === '' || (LOG_LEVELS as readonly string[]).includes(String(value).toLowerCase());

/** Variables of one meaning: oCIS's name, OpenCloud's, the service's own. */
function aliases(shared: string, own = shared): string[] {
  return [`OCIS_${shared}`, `OC_${shared}`, `NATS_${own}`];
}

const yaml = { inYaml: true } as const;
const off = { kind: 'flag', default: 'false' } as const;
const emptyText = { kind: 'text', default: '' } as const;

/** Every setting (spec/ocis.md 1), in the order of the reference. */
export const SETTINGS: readonly Setting[] = [
  ...TRACING_SETTINGS,
  {
    key: 'log.level',
    ...yaml,
    ...emptyText,
    env: aliases('LOG_LEVEL'),
    describeDefault: 'empty, which is error',
    description: 'What is logged.',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    accepts: isLevel,
  },
  { key: 'log.pretty', ...yaml, ...off, env: aliases('LOG_PRETTY'), description: 'Log for human eyes, not as JSON.' },
  { key: 'log.color', ...yaml, ...off, env: aliases('LOG_COLOR'), description: 'Colours in the pretty log.' },
  {
    key: 'log.file',
    ...yaml,
    ...emptyText,
    env: aliases('LOG_FILE'),
    description: 'File to log to, instead of standard error; not with the pretty log.',
  },
  {
    key: 'debug.addr',
    ...yaml,
    kind: 'text',
    default: '127.0.0.1:9234',
    env: ['NATS_DEBUG_ADDR'],
    description: 'Address of the debug server; empty: none.',
    expected: 'an address as host:port',
    accepts: isAddress,
  },
  {
    key: 'debug.token',
    ...yaml,
    ...emptyText,
    env: ['NATS_DEBUG_TOKEN'],
    description: 'Token that the debug server asks for.',
    secret: true,
  },
  {
    key: 'debug.pprof',
    ...yaml,
    ...off,
    env: ['NATS_DEBUG_PPROF'],
    description: 'Profiles on the debug server.',
  },
  {
    key: 'debug.zpages',
    ...yaml,
    ...off,
    env: ['NATS_DEBUG_ZPAGES'],
    description: 'Traces on the debug server.',
  },
  {
    key: 'nats.host',
    ...yaml,
    kind: 'text',
    default: '127.0.0.1',
    env: ['NATS_NATS_HOST'],
    description: 'Address for clients; empty: every address (0.0.0.0).',
    expected: 'a host name or an IP address, without a port',
    accepts: isHost,
  },
  {
    key: 'nats.port',
    ...yaml,
    kind: 'integer',
    default: '9233',
    env: ['NATS_NATS_PORT'],
    description: 'Port for clients; 0: 4222, -1: any free port.',
    expected: `an integer from -1 to ${MAX_PORT}`,
    accepts: isPort,
  },
  {
    key: 'nats.clusterid',
    option: 'nats.clusterId',
    ...yaml,
    kind: 'text',
    default: null,
    describeDefault: 'ocis-cluster; in OpenCloud: opencloud-cluster',
    env: ['NATS_NATS_CLUSTER_ID'],
    description: 'Name of the cluster that clients are told.',
    expected: 'a name without spaces',
    accepts: (value) => !/\s/.test(String(value)),
  },
  {
    key: 'nats.store_dir',
    ...yaml,
    kind: 'text',
    default: null,
    describeDefault: 'the base data path and /nats',
    env: ['NATS_NATS_STORE_DIR'],
    description: 'Directory of the data, above jetstream/.',
    emptyIsUnset: true,
  },
  {
    key: 'nats.tls_cert',
    ...yaml,
    kind: 'text',
    default: null,
    describeDefault: 'the base data path and /nats/tls.crt',
    env: ['NATS_TLS_CERT'],
    description: 'Certificate of the server; made if neither it nor the key is there.',
  },
  {
    key: 'nats.tls_key',
    ...yaml,
    kind: 'text',
    default: null,
    describeDefault: 'the base data path and /nats/tls.key',
    env: ['NATS_TLS_KEY'],
    description: 'Private key of the certificate.',
  },
  {
    key: 'nats.tls_skip_verify_client_cert',
    ...yaml,
    ...off,
    env: ['OCIS_INSECURE', 'OC_INSECURE', 'NATS_TLS_SKIP_VERIFY_CLIENT_CERT'],
    description: 'With TLS: take clients without a certificate.',
  },
  {
    key: 'nats.tls_client_ca',
    ...yaml,
    ...emptyText,
    describeDefault: 'empty: the authorities that Node trusts',
    env: ['NATS_TLS_CLIENT_CA'],
    description: 'With TLS: file of the authorities whose certificates clients must show.',
  },
  {
    key: 'nats.enable_tls',
    ...yaml,
    ...off,
    env: aliases('EVENTS_ENABLE_TLS'),
    description: 'TLS for clients; plain connections are refused then.',
  },
  {
    key: 'nats.auth_username',
    ...yaml,
    ...emptyText,
    env: aliases('EVENTS_AUTH_USERNAME'),
    description: 'User that clients must give; empty: anybody may connect.',
  },
  {
    key: 'nats.auth_password',
    ...yaml,
    ...emptyText,
    env: aliases('EVENTS_AUTH_PASSWORD'),
    description: 'Password of that user.',
    secret: true,
  },
  {
    key: 'nats.main_queue_max_age',
    ...yaml,
    kind: 'duration',
    default: '0s',
    describeDefault: '0s, which is for ever',
    env: ['NATS_MAIN_QUEUE_MAX_AGE'],
    description: 'How long the stream main-queue keeps an event, such as 168h, unless a client set its max_age.',
    expected: 'a duration of at least 100ms, such as 168h, or 0s',
    accepts: isMaxAge,
  },
  {
    key: 'nats.main_queue_max_bytes',
    ...yaml,
    kind: 'bytes',
    default: '0',
    describeDefault: '0, which is no limit',
    env: ['NATS_MAIN_QUEUE_MAX_BYTES'],
    description:
      'How much the stream main-queue keeps, such as 10GiB, unless a client set its max_bytes; the oldest goes.',
  },
  {
    key: 'nats.disk_warn_percent',
    ...yaml,
    kind: 'integer',
    default: '80',
    env: ['NATS_DISK_WARN_PERCENT'],
    description: 'How full the disk of the store is when a warning is logged; 0: never.',
    expected: 'an integer from 0 to 100',
    accepts: isPercent,
  },
  {
    key: 'nats.disk_critical_percent',
    ...yaml,
    kind: 'integer',
    default: '95',
    env: ['NATS_DISK_CRITICAL_PERCENT'],
    description: 'How full it is when an error is logged; 0: never.',
    expected: 'an integer from 0 to 100',
    accepts: isPercent,
  },
  ...REGISTRY_SETTINGS,
];

/** Variables that name the directory of nats.yaml; the last one that is set counts. */
export const CONFIG_DIR_VARIABLES: readonly string[] = ['OCIS_CONFIG_DIR', 'OC_CONFIG_DIR'];

/** Variables that name the base data path; the last one that is set counts. */
export const BASE_DATA_PATH_VARIABLES: readonly string[] = ['OCIS_BASE_DATA_PATH', 'OC_BASE_DATA_PATH'];
