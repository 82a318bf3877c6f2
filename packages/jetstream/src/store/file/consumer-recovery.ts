import { emptyConsumerState } from '../shared/empty.ts';
import { isAssetName } from '../shared/names.ts';
import type { AssetMeta, ConsumerState } from '../store.ts';
import { consumerKey, KIND_META, KIND_REMOVED, readLog, readMetaRecord } from './consumer-log-codec.ts';
import { ConsumerReplay, closeGaps } from './consumer-replay.ts';
import { decodeConsumerState, isConsistent, isSameState } from './consumer-state-codec.ts';
import type { StoreDependencies } from './dependencies.ts';
import { exportHash, isNearlyExport } from './export-hash.ts';
import type { ConsumerStart } from './file-consumer-store.ts';
import { readIfThere, removeIfThere } from './file-system.ts';
import { mapGated } from './gate.ts';
import { LOG_FILE, LOG_TEMPORARY } from './log-file.ts';
import { DAMAGE_TEXTS, readMeta, restoreMeta } from './meta-file.ts';

/** Consumers whose files are read at once. */
const READ_AT_ONCE_MAX = 8;

/** A damaged log is kept under this name when it is replaced. */
const DAMAGED_FILE = 'consumers.log.damaged';

/** A consumer that was found, with where it stands. */
export interface FoundConsumer {
  readonly name: string;
  readonly directory: string;
  readonly meta: AssetMeta;
  readonly start: ConsumerStart;
}

/** The log as it was found. */
export interface FoundLog {
  readonly bytes: number;
  readonly needsRewrite: boolean;
  /** Highest sequence that the log says was delivered: the stream had it. 0 = none. */
  readonly deliveredSeq: number;
}

/** Lists the messages of a range that a consumer with this configuration takes, at most `limit` + 1 of them. */
export type Candidates = (
  config: Record<string, unknown>,
  fromSeq: number,
  toSeq: number,
  limit: number,
) => Promise<readonly number[]>;

interface ReadConsumer {
  readonly name: string;
  readonly directory: string;
  readonly meta: AssetMeta;
  /** Content of its meta.inf. */
  readonly metaBytes: Buffer;
  readonly key: string;
  /** What o.dat says; null when there is none or it is damaged. */
  readonly exportedState: ConsumerState | null;
  readonly hash: string | null;
  /** The o.dat; null when there is none. */
  readonly exportBytes: Buffer | null;
}

/**
 * Finds out where the consumers of a stream stand. `consumers.log` rules, unless a consumer's o.dat decodes and is none
 * of those the log says were exported: then nats-server ran in between, and its word counts.
 */
export async function recoverConsumers(
  deps: StoreDependencies,
  directory: string,
  stream: string,
  candidates: Candidates,
): Promise<{ consumers: FoundConsumer[]; log: FoundLog }> {
  const { fs } = deps;
  const names = (await fs.readdir(`${directory}/obs`)).filter(isAssetName).sort();
  await removeIfThere(fs, `${directory}/${LOG_TEMPORARY}`);
  const log = await readIfThere(fs, `${directory}/${LOG_FILE}`);
  const copies = log === null ? new Map<string, Buffer>() : copiesIn(log);
  const read = await mapGated(names, READ_AT_ONCE_MAX, (name) =>
    readConsumer(deps, directory, stream, name, copies.get(name) ?? null),
  );
  const consumers = read.filter((consumer) => consumer !== null);
  const replays = new Map(
    consumers.map((one) => [one.key, new ConsumerReplay(one.exportedState && structuredClone(one.exportedState))]),
  );
  const needsRewrite = log !== null && (await replayLog(deps, directory, log, replays));
  const found: FoundConsumer[] = [];
  let deliveredSeq = 0;
  for (const consumer of consumers) {
    const replay = replays.get(consumer.key)!;
    deliveredSeq = Math.max(deliveredSeq, replay.deliveredSeq);
    await closeGaps(replay, (fromSeq, toSeq, limit) => candidates(consumer.meta.config, fromSeq, toSeq, limit));
    const { name, meta, metaBytes } = consumer;
    const start = {
      ...decide(deps, stream, consumer, replay),
      meta: metaBytes,
      needsMeta: copies.get(name)?.equals(metaBytes) !== true,
    };
    found.push({ name, directory: consumer.directory, meta, start });
  }
  return { consumers: found, log: { bytes: log?.length ?? 0, needsRewrite, deliveredSeq } };
}

/** Applies the log to the consumers. True if it must not be appended to. */
async function replayLog(
  deps: StoreDependencies,
  directory: string,
  log: Buffer,
  replays: ReadonlyMap<string, ConsumerReplay>,
): Promise<boolean> {
  const damaged = readLog(log, (kind, key, serial, reader) => {
    if (kind !== KIND_REMOVED && kind !== KIND_META) replays.get(key)?.apply(kind, serial, reader);
  });
  const inside = damaged.filter(({ end }) => end < log.length);
  if (inside.length > 0) {
    const bytes = inside.reduce((total, { start, end }) => total + end - start, 0);
    deps.log.warn(
      `Consumer log ${directory}/${LOG_FILE}: ${bytes} damaged bytes in ${inside.length} places, kept as ${DAMAGED_FILE}`,
    );
    await keepDamaged(deps, directory);
  }
  return damaged.length > 0;
}

/** What the log keeps of the consumers' meta.inf, by name. */
function copiesIn(log: Buffer): Map<string, Buffer> {
  const byName = new Map<string, Buffer>();
  const names = new Map<string, string>();
  readLog(log, (kind, key, _serial, reader) => {
    if (kind === KIND_REMOVED) byName.delete(names.get(key) ?? '');
    if (kind !== KIND_META) return;
    const copy = readMetaRecord(reader);
    if (copy === null) return;
    names.set(key, copy.name);
    byName.set(copy.name, copy.bytes);
  });
  return byName;
}

/** For whoever wants to look at it; recovery goes on without. */
async function keepDamaged({ fs, log }: StoreDependencies, directory: string): Promise<void> {
  try {
    await removeIfThere(fs, `${directory}/${DAMAGED_FILE}`);
    await fs.link(`${directory}/${LOG_FILE}`, `${directory}/${DAMAGED_FILE}`);
  } catch (error) {
    log.warn(`Consumer log ${directory}/${LOG_FILE} cannot be kept aside: ${(error as Error).message}`);
  }
}

function decide(
  deps: StoreDependencies,
  stream: string,
  consumer: ReadConsumer,
  replay: ConsumerReplay,
): Omit<ConsumerStart, 'meta' | 'needsMeta'> {
  const { exportBytes, name } = consumer;
  const { serial, missing } = replay;
  const hasExport = exportBytes !== null;
  // There is no checksum in it: one wrong byte, and it reads as something nats-server wrote.
  const isKnown = consumer.hash !== null && replay.exported.includes(consumer.hash);
  const isDamaged = !isKnown && exportBytes !== null && isNearlyExport(exportBytes, replay.exported);
  const exportedState = isDamaged ? null : consumer.exportedState;
  const hash = isDamaged ? null : consumer.hash;
  if (isDamaged) deps.log.warn(`Consumer '${stream} > ${name}': a byte of o.dat is wrong, it is written anew`);
  // From now on the log knows the o.dat that is there, whoever wrote it.
  const exported = hash === null || replay.exported.includes(hash) ? replay.exported : [...replay.exported, hash];
  const start = { serial, exported, isExported: hasExport, hasState: true, needsState: true, exportDue: false };
  if (missing > 0) {
    deps.log.warn(`Consumer '${stream} > ${name}': ${missing} log records are lost, some messages may come again`);
  }
  if (serial > 0) {
    // Without its state record the log cannot tell what was exported; replay built on the o.dat then.
    const isForeign = replay.hasBase && exported !== replay.exported;
    // Unless the record of its export is one of those that are lost.
    const isOurs = missing > 0 && exportedState !== null && isBehind(exportedState, replay.state);
    if (isForeign && !isOurs && exportedState !== null) return { ...start, state: exportedState };
    // The o.dat is up to a tenth of a second behind after a kill.
    const exportDue = exportedState === null || !isSameState(exportedState, replay.state);
    return { ...start, state: replay.state, needsState: missing > 0 || !replay.hasBase, exportDue };
  }
  if (exportedState !== null) return { ...start, state: exportedState };
  if (hasExport) deps.log.warn(`Consumer '${stream} > ${name}': state file o.dat is damaged, it starts over`);
  // With a start that can be worked out again it begins there; otherwise everything comes again rather than never.
  const policy = consumer.meta.config['deliver_policy'];
  const isRepeatable = policy === undefined || policy === 'all' || `${policy}`.startsWith('by_start');
  const hasState = hasExport && !isRepeatable;
  return { ...start, state: emptyConsumerState(), hasState, needsState: hasState };
}

function isBehind(older: ConsumerState, newer: ConsumerState): boolean {
  return (
    older.delivered.consumerSeq <= newer.delivered.consumerSeq &&
    older.delivered.streamSeq <= newer.delivered.streamSeq &&
    older.ackFloor.consumerSeq <= newer.ackFloor.consumerSeq &&
    older.ackFloor.streamSeq <= newer.ackFloor.streamSeq
  );
}

async function readConsumer(
  deps: StoreDependencies,
  streamDirectory: string,
  stream: string,
  name: string,
  copy: Buffer | null,
): Promise<ReadConsumer | null> {
  const { fs, log } = deps;
  const directory = `${streamDirectory}/obs/${name}`;
  if (!(await fs.isDirectory(directory))) return null;
  const owner = { stream, consumer: name };
  const reading = await readMeta(fs, directory, owner, copy);
  if (reading.kind !== 'read') {
    const reason = reading.kind === 'missing' ? 'meta.inf is missing' : reading.reason;
    log.warn(`Consumer '${stream} > ${name}' is not loaded, its files stay: ${reason}`);
    return null;
  }
  const { damage, bytes: metaBytes } = reading;
  if (damage !== null) {
    log.warn(`Consumer '${stream} > ${name}': ${DAMAGE_TEXTS[damage]}`);
    await restoreMeta(fs, directory, owner, metaBytes).catch((error: Error) => log.warn(`meta.inf: ${error.message}`));
  }
  const bytes = await readIfThere(fs, `${directory}/o.dat`);
  const state = bytes === null ? null : decodeConsumerState(bytes);
  return {
    name,
    directory,
    meta: reading.meta,
    metaBytes,
    key: consumerKey(name, reading.meta.created).toString('latin1'),
    exportedState: state,
    hash: bytes === null || state === null || !isConsistent(state) ? null : exportHash(bytes),
    exportBytes: bytes,
  };
}
