import { hh64, sha256key } from '../hash/highwayhash.ts';
import type { AssetMeta } from '../store.ts';
import { type FileSystem, type NewFile, readIfThere, writeNewFile, writeNewFiles } from './file-system.ts';
import { decodeMeta, encodeMeta } from './meta-json.ts';

const META_FILE = 'meta.inf';
const SUM_FILE = 'meta.sum';
/** There when nats-server encrypts the asset. */
const KEY_FILE = 'meta.key';

/** Whose meta.inf it is: decides the key of its checksum and, for consumers, the name in it. */
export interface MetaOwner {
  readonly stream: string;
  /** Null for the stream's own. */
  readonly consumer: string | null;
}

/** What a directory's meta.inf turned out to be. */
export type MetaReading =
  | { readonly kind: 'read'; readonly meta: AssetMeta; readonly isSumWrong: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads meta.inf. A wrong or missing meta.sum is told, and does not keep the asset from being loaded. */
export async function readMeta(fs: FileSystem, directory: string, owner: MetaOwner): Promise<MetaReading> {
  if ((await fs.size(`${directory}/${KEY_FILE}`)) !== null) {
    return { kind: 'unreadable', reason: 'encryption of the store is not supported yet by nats-ts' };
  }
  let bytes: Buffer | null;
  let sum: Buffer | null;
  try {
    bytes = await readIfThere(fs, `${directory}/${META_FILE}`);
    sum = await readIfThere(fs, `${directory}/${SUM_FILE}`);
  } catch (error) {
    return { kind: 'unreadable', reason: (error as Error).message };
  }
  if (bytes === null) return { kind: 'missing' };
  try {
    const isSumWrong = sum?.toString('latin1') !== checksum(bytes, owner);
    return { kind: 'read', meta: decodeMeta(bytes), isSumWrong };
  } catch (error) {
    return { kind: 'unreadable', reason: (error as Error).message };
  }
}

/** Writes both files into a directory that nobody reads yet; they and all names in it are durable on return. */
export async function writeNewMeta(
  fs: FileSystem,
  directory: string,
  owner: MetaOwner,
  meta: AssetMeta,
): Promise<void> {
  await writeNewFiles(fs, directory, metaFiles(meta, owner, ''), true);
}

/**
 * Replaces both files; durable on return. A crash between the two renames leaves a checksum that does not match, which
 * costs nothing here; both are prepared and synced before, so that hardly any time lies between them.
 */
export async function replaceMeta(fs: FileSystem, directory: string, owner: MetaOwner, meta: AssetMeta): Promise<void> {
  await writeNewFiles(fs, directory, metaFiles(meta, owner, '.tmp'), false);
  await fs.rename(`${directory}/${META_FILE}.tmp`, `${directory}/${META_FILE}`);
  await fs.rename(`${directory}/${SUM_FILE}.tmp`, `${directory}/${SUM_FILE}`);
  await fs.fsyncDir(directory);
}

/** Writes the checksum that belongs to the meta.inf as it stands: nats-server refuses a stream without. */
export async function repairSum(fs: FileSystem, directory: string, owner: MetaOwner): Promise<void> {
  const bytes = await fs.readFile(`${directory}/${META_FILE}`);
  await writeNewFile(fs, `${directory}/${SUM_FILE}.tmp`, Buffer.from(checksum(bytes, owner)));
  await fs.rename(`${directory}/${SUM_FILE}.tmp`, `${directory}/${SUM_FILE}`);
  await fs.fsyncDir(directory);
}

/** @param suffix of both names. */
function metaFiles(meta: AssetMeta, owner: MetaOwner, suffix: string): NewFile[] {
  const bytes = encodeMeta(meta, owner.consumer);
  return [
    { name: `${META_FILE}${suffix}`, data: bytes },
    { name: `${SUM_FILE}${suffix}`, data: Buffer.from(checksum(bytes, owner)) },
  ];
}

function checksum(bytes: Buffer, owner: MetaOwner): string {
  const name = owner.consumer === null ? owner.stream : `${owner.stream}/${owner.consumer}`;
  return hh64(sha256key(name), bytes).toString('hex');
}
