import { hh64, sha256key } from '../hash/highwayhash.ts';
import type { AssetMeta } from '../store.ts';
import { type FileSystem, type NewFile, readIfThere, writeFully, writeNewFiles } from './file-system.ts';
import { decodeMeta, encodeMeta } from './meta-json.ts';
import { isNearly, repairMeta } from './meta-repair.ts';

const META_FILE = 'meta.inf';
const SUM_FILE = 'meta.sum';
/** There when nats-server encrypts the asset. */
const KEY_FILE = 'meta.key';
/** A stream's meta.inf once more, behind its checksum, for when it cannot be read. nats-server ignores it. */
const COPY_FILE = 'meta.copy';

/** Digits of a checksum. */
const SUM_DIGITS = 16;

/** Whose meta.inf it is: decides the key of its checksum and, for consumers, the name in it. */
export interface MetaOwner {
  readonly stream: string;
  /** Null for the stream's own. */
  readonly consumer: string | null;
}

/** What had to be put right: the checksum, a byte of meta.inf, or all of it from a copy; null = nothing. */
export type MetaDamage = 'sum' | 'byte' | 'copy' | null;

/** What a directory's meta.inf turned out to be. */
export type MetaReading =
  | { readonly kind: 'read'; readonly meta: AssetMeta; readonly bytes: Buffer; readonly damage: MetaDamage }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** What to say of damage that was put right. */
export const DAMAGE_TEXTS: Readonly<Record<'sum' | 'byte' | 'copy', string>> = {
  sum: 'meta.sum does not match meta.inf, loaded nevertheless and written anew',
  byte: 'a wrong byte of meta.inf was put right by its checksum',
  copy: 'meta.inf is damaged, restored from its copy',
};

/**
 * Reads meta.inf. What does not match its checksum is put right where that is possible; a checksum that is itself
 * wrong or missing does not keep the asset from being loaded. `restoreMeta` brings the files in line.
 *
 * @param copy the content meta.inf had when it was last written here; null = not known.
 */
export async function readMeta(
  fs: FileSystem,
  directory: string,
  owner: MetaOwner,
  copy: Buffer | null,
): Promise<MetaReading> {
  if ((await fs.size(`${directory}/${KEY_FILE}`)) !== null) {
    return { kind: 'unreadable', reason: 'encryption of the store is not supported yet by nats-ts' };
  }
  let bytes: Buffer | null;
  let sum: Buffer | null;
  try {
    bytes = await readIfThere(fs, `${directory}/${META_FILE}`);
    sum = await readIfThere(fs, `${directory}/${SUM_FILE}`);
    if (bytes !== null && sum?.toString('latin1') === checksum(bytes, owner)) return decoded(bytes, null);
    const pending = await readIfThere(fs, `${directory}/${SUM_FILE}.tmp`);
    return putRight(bytes, sum, pending, copy, owner);
  } catch (error) {
    return { kind: 'unreadable', reason: (error as Error).message };
  }
}

/** @param pending checksum of an update that did not get to its end. */
function putRight(
  bytes: Buffer | null,
  sum: Buffer | null,
  pending: Buffer | null,
  copy: Buffer | null,
  owner: MetaOwner,
): MetaReading {
  if (bytes === null) return copy === null ? { kind: 'missing' } : decoded(copy, 'copy');
  const right = checksum(bytes, owner);
  if (isNearly(sum, right) || pending?.toString('latin1') === right) return decoded(bytes, 'sum');
  // The checksum says that what is copied was there.
  if (copy !== null && sum?.toString('latin1') === checksum(copy, owner)) return decoded(copy, 'copy');
  const repaired = repairMeta(bytes, sum, keyOf(owner));
  if (repaired !== null) return decoded(repaired, 'byte');
  const asItIs = decoded(bytes, 'sum');
  return asItIs.kind === 'unreadable' && copy !== null ? decoded(copy, 'copy') : asItIs;
}

function decoded(bytes: Buffer, damage: MetaDamage): MetaReading {
  try {
    return { kind: 'read', meta: decodeMeta(bytes), bytes, damage };
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
  const bytes = encodeMeta(meta, owner.consumer);
  const files = metaFiles(bytes, owner, '');
  if (owner.consumer === null) files.push({ name: COPY_FILE, data: copyOf(bytes, owner) });
  await writeNewFiles(fs, directory, files, true);
}

/**
 * Replaces both files; durable on return. A crash between the two renames leaves a checksum that does not match, which
 * costs nothing here; both are prepared and synced before, so that hardly any time lies between them.
 *
 * @param before what is in force if this fails: it goes back in place, for the next start must not find what was refused.
 */
export async function replaceMeta(
  fs: FileSystem,
  directory: string,
  owner: MetaOwner,
  bytes: Buffer,
  before: Buffer,
): Promise<void> {
  try {
    await restoreMeta(fs, directory, owner, bytes);
  } catch (error) {
    await restoreMeta(fs, directory, owner, before).catch(() => {});
    throw error;
  }
  if (owner.consumer === null) await keepCopy(fs, directory, owner, bytes);
}

/** Puts this content in place, with the checksum that belongs to it: nats-server refuses a stream without. */
export async function restoreMeta(fs: FileSystem, directory: string, owner: MetaOwner, bytes: Buffer): Promise<void> {
  await writeNewFiles(fs, directory, metaFiles(bytes, owner, '.tmp'), false);
  await fs.rename(`${directory}/${META_FILE}.tmp`, `${directory}/${META_FILE}`);
  await fs.rename(`${directory}/${SUM_FILE}.tmp`, `${directory}/${SUM_FILE}`);
  await fs.fsyncDir(directory);
}

/** The copy of a stream's meta.inf; null if there is none, or it is damaged. */
export async function readCopy(fs: FileSystem, directory: string, owner: MetaOwner): Promise<Buffer | null> {
  const copy = await readIfThere(fs, `${directory}/${COPY_FILE}`).catch(() => null);
  if (copy === null) return null;
  const bytes = copy.subarray(SUM_DIGITS);
  return copyOf(bytes, owner).equals(copy) ? bytes : null;
}

/** Keeps a copy of a stream's meta.inf. It is needed only if that is damaged: a disk that refuses is not in the way. */
export async function keepCopy(fs: FileSystem, directory: string, owner: MetaOwner, bytes: Buffer): Promise<void> {
  try {
    await writeUnsynced(fs, `${directory}/${COPY_FILE}.tmp`, copyOf(bytes, owner));
    await fs.rename(`${directory}/${COPY_FILE}.tmp`, `${directory}/${COPY_FILE}`);
  } catch {
    // The next start tries again.
  }
}

function copyOf(bytes: Buffer, owner: MetaOwner): Buffer {
  return Buffer.concat([Buffer.from(checksum(bytes, owner)), bytes]);
}

async function writeUnsynced(fs: FileSystem, path: string, bytes: Buffer): Promise<void> {
  const fd = await fs.open(path, 'replace');
  try {
    await writeFully(fs, fd, bytes, 0);
  } finally {
    await fs.close(fd);
  }
}

/** @param suffix of both names. */
function metaFiles(bytes: Buffer, owner: MetaOwner, suffix: string): NewFile[] {
  return [
    { name: `${META_FILE}${suffix}`, data: bytes },
    { name: `${SUM_FILE}${suffix}`, data: Buffer.from(checksum(bytes, owner)) },
  ];
}

function checksum(bytes: Buffer, owner: MetaOwner): string {
  return hh64(keyOf(owner), bytes).toString('hex');
}

function keyOf(owner: MetaOwner): Buffer {
  return sha256key(owner.consumer === null ? owner.stream : `${owner.stream}/${owner.consumer}`);
}
