/** Version metadata of streams and consumers (spec/jetstream.md 2.1). */

/** JetStream API level this server speaks, as nats-server 2.15. */
export const API_LEVEL = 5;

/** The nats-server release whose behaviour this is. */
export const SERVER_VERSION = '2.15.1';

const REQUIRED_LEVEL = '_nats.req.level';
const VERSION = '_nats.ver';
const LEVEL = '_nats.level';

type Metadata = Readonly<Record<string, string>>;

/** What is stored: the user's keys and the API level the asset needs. Keys in Go's order (sorted). */
export function staticMetadata(metadata: Metadata | undefined, requiredLevel: number): Metadata {
  return sorted([...userEntries(metadata), [REQUIRED_LEVEL, String(requiredLevel)]]);
}

/** The metadata of a stored asset as it was stored: an older nats-server wrote no level. */
export function storedMetadata(metadata: Metadata | undefined): Metadata | undefined {
  const stored = Object.entries(metadata ?? {}).filter(([key]) => key !== VERSION && key !== LEVEL);
  return stored.length === 0 ? undefined : sorted(stored);
}

/** What replies show: the stored keys and this server's version and level. */
export function dynamicMetadata(metadata: Metadata | undefined): Metadata {
  const stored = Object.entries(metadata ?? {}).filter(([key]) => key !== VERSION && key !== LEVEL);
  return sorted([...stored, [VERSION, SERVER_VERSION], [LEVEL, String(API_LEVEL)]]);
}

/** The user's own keys: what "the same configuration" compares. */
export function userMetadata(metadata: Metadata | undefined): Metadata {
  return sorted(userEntries(metadata));
}

/** The level a stored asset asks for; 0 when it does not say. NaN when it says something else than a number. */
export function requiredLevelOf(metadata: Metadata | undefined): number {
  const level = metadata?.[REQUIRED_LEVEL];
  if (level === undefined || level === '') return 0;
  return /^[+-]?\d+$/.test(level) ? Number(level) : Number.NaN;
}

/** True if a `Nats-Required-Api-Level` of a request is more than this server offers, or no number. */
export function exceedsApiLevel(level: string): boolean {
  if (level === '') return false;
  return !/^[+-]?\d+$/.test(level) || Number(level) > API_LEVEL;
}

function userEntries(metadata: Metadata | undefined): [string, string][] {
  return Object.entries(metadata ?? {}).filter(([key]) => key !== VERSION && key !== LEVEL && key !== REQUIRED_LEVEL);
}

/** Keys as Go sorts them: by bytes of UTF-8. */
function sorted(entries: [string, string][]): Metadata {
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(entries);
}
