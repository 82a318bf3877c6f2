import type { ServerSettings } from '../server/settings.ts';
import type { FlagKind, GivenFlag } from './flag-set.ts';

/** What the command line says about the server. */
export interface ServerFlags {
  /** -c; empty: none. */
  readonly configFile: string;
  /** What was given, and nothing else. */
  readonly settings: ServerSettings;
  /** The --tls… flags; null: none was given. */
  readonly tls: TlsFlags | null;
}

/** The --tls… flags. */
export interface TlsFlags {
  /** false after --tls=false: TLS is off whatever the file says. */
  readonly enabled: boolean;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly verify: boolean;
}

/** What a flag does beyond settings. */
type Switch = 'help' | 'help-tls' | 'version' | 'about' | 'check' | 'config' | 'tls' | 'unsupported';

interface FlagMeaning {
  readonly kind: FlagKind;
  readonly meaning: Switch | ((settings: ServerSettings, value: never) => void);
}

const bool = (meaning: Switch | ((settings: ServerSettings, value: boolean) => void)): FlagMeaning => ({
  kind: 'bool',
  meaning,
});
const int = (meaning: Switch | ((settings: ServerSettings, value: number) => void)): FlagMeaning => ({
  kind: 'int',
  meaning,
});
const string = (meaning: Switch | ((settings: ServerSettings, value: string) => void)): FlagMeaning => ({
  kind: 'string',
  meaning,
});

const FLAGS: readonly (readonly [names: readonly string[], flag: FlagMeaning])[] = [
  [['h', 'help'], bool('help')],
  [['help_tls'], bool('help-tls')],
  [['v', 'version'], bool('version')],
  [['about'], bool('about')],
  [['t'], bool('check')],
  [['c', 'config'], string('config')],
  [['a', 'addr', 'net'], string((settings, value) => (settings.host = value))],
  [['p', 'port'], int((settings, value) => (settings.port = value))],
  [['n', 'name', 'server_name'], string((settings, value) => (settings.serverName = value))],
  [['client_advertise'], string((settings, value) => (settings.clientAdvertise = value))],
  [['m', 'http_port'], int((settings, value) => (settings.httpPort = value))],
  [['ms', 'https_port'], int((settings, value) => (settings.httpsPort = value))],
  [['P', 'pid'], string((settings, value) => (settings.pidFile = value))],
  [['ports_file_dir'], string((settings, value) => (settings.portsFileDir = value))],
  [['l', 'log'], string((settings, value) => (settings.logFile = value))],
  [['T', 'logtime'], bool((settings, value) => (settings.logtime = value))],
  [['logtime_utc'], bool((settings, value) => (settings.logtimeUtc = value))],
  [['log_size_limit'], int((settings, value) => (settings.logSizeLimitBytes = value))],
  [['max_traced_msg_len'], int((settings, value) => (settings.maxTracedMsgLenBytes = value))],
  [['D', 'debug'], bool((settings, value) => (settings.debug = value))],
  [['V', 'trace'], bool((settings, value) => (settings.trace = value))],
  [['DV'], bool((settings, value) => (settings.debug = settings.trace = value))],
  [['DVV'], bool((settings, value) => (settings.debug = settings.trace = settings.traceVerbose = value))],
  [['VV'], bool((settings, value) => (settings.trace = settings.traceVerbose = value))],
  [['js', 'jetstream'], bool((settings, value) => (settings.jetstream = value))],
  [['sd', 'store_dir'], string((settings, value) => (settings.storeDir = value))],
  [['user'], string((settings, value) => (settings.username = value))],
  [['pass'], string((settings, value) => (settings.password = value))],
  [['auth'], string((settings, value) => (settings.authorization = value))],
  [['tls', 'tlsverify'], bool('tls')],
  [['tlscert', 'tlskey', 'tlscacert'], string('tls')],
  [['s', 'syslog', 'no_advertise'], bool('unsupported')],
  [['profile', 'connect_retries'], int('unsupported')],
  [['sl', 'signal', 'r', 'remote_syslog', 'routes', 'cluster', 'cluster_listen'], string('unsupported')],
  [['cluster_advertise', 'cluster_name'], string('unsupported')],
];

const MEANINGS: ReadonlyMap<string, FlagMeaning> = new Map(
  FLAGS.flatMap(([names, flag]) => names.map((name) => [name, flag] as const)),
);

/** Every flag of nats-server, and --about, with what it takes. */
export const FLAG_KINDS: ReadonlyMap<string, FlagKind> = new Map(
  [...MEANINGS].map(([name, { kind }]) => [name, kind] as const),
);

/** These are applied after all others, in this order, wherever they stand: as nats-server does. */
const APPLIED_LAST = ['DV', 'DVV', 'VV'];

/** Whether a flag was given that switches something: the last one of its name counts. */
export function isSwitchedOn(given: readonly GivenFlag[], wanted: Switch): boolean {
  const last = given.findLast((flag) => MEANINGS.get(flag.name)?.meaning === wanted);
  return last !== undefined && last.value !== false;
}

/** The first flag that is known and not served; one that is switched off asks for nothing. */
export function unsupportedFlag(given: readonly GivenFlag[]): string | null {
  const asked = given.find((flag) => MEANINGS.get(flag.name)?.meaning === 'unsupported' && flag.value !== false);
  return asked?.name ?? null;
}

/** Collects the settings that the flags make. */
export function serverFlags(given: readonly GivenFlag[]): ServerFlags {
  const settings: ServerSettings = {};
  const ordered = [...given.filter((flag) => !APPLIED_LAST.includes(flag.name)), ...lastOfEach(given, APPLIED_LAST)];
  for (const flag of ordered) {
    const meaning = MEANINGS.get(flag.name)?.meaning;
    if (typeof meaning === 'function') meaning(settings, flag.value as never);
  }
  return { configFile: text(given, 'c', 'config'), settings, tls: tlsFlags(given) };
}

function lastOfEach(given: readonly GivenFlag[], names: readonly string[]): GivenFlag[] {
  return names.flatMap((name) => given.findLast((flag) => flag.name === name) ?? []);
}

function text(given: readonly GivenFlag[], ...names: string[]): string {
  const last = given.findLast((flag) => names.includes(flag.name));
  return last?.kind === 'string' ? last.value : '';
}

function tlsFlags(given: readonly GivenFlag[]): TlsFlags | null {
  if (!given.some((flag) => MEANINGS.get(flag.name)?.meaning === 'tls')) return null;
  const last = (name: string): GivenFlag | undefined => given.findLast((flag) => flag.name === name);
  return {
    enabled: last('tls')?.value !== false,
    certFile: text(given, 'tlscert'),
    keyFile: text(given, 'tlskey'),
    caFile: text(given, 'tlscacert'),
    verify: last('tlsverify')?.value === true,
  };
}
