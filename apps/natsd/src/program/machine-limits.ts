import { readdir, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { ServerConfig } from '@nats-ts/config/server';

/** Part of the machine's memory and of its free disk that JetStream may fill when nothing else is said, as in nats-server. */
export const MACHINE_SHARE = 0.75;
/** What is assumed of a disk that does not tell its free space, bytes; as in nats-server. */
export const STORE_BYTES_UNKNOWN: number = 1024 ** 4;

type Limits = Pick<ServerConfig['jetstream'], 'maxMemoryBytes' | 'maxStoreBytes'>;

/**
 * The limits of JetStream, those that are not set (negative) from the machine: 75 % of its memory, 75 % of the disk's free space.
 * Equivalent to what nats-server does without max_mem and max_file, except that what the store holds already is not taken off
 * what it may hold: a server that has filled most of its disk still starts with room for what is there.
 */
export async function machineLimits(limits: Limits, storeDir: string): Promise<Limits> {
  const { maxMemoryBytes, maxStoreBytes } = limits;
  return {
    maxMemoryBytes: maxMemoryBytes >= 0 ? maxMemoryBytes : Math.floor(totalmem() * MACHINE_SHARE),
    maxStoreBytes: maxStoreBytes >= 0 ? maxStoreBytes : await storeBytes(storeDir),
  };
}

async function storeBytes(storeDir: string): Promise<number> {
  for (let at = storeDir; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return Math.floor(bavail * bsize * MACHINE_SHARE) + (await blockBytes(join(storeDir, 'jetstream')));
    } catch (error) {
      // It is made at the start, on the disk of what is above it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(at) === at) return STORE_BYTES_UNKNOWN;
    }
  }
}

/** What is in message blocks below a directory; whatever cannot be read counts as nothing. */
async function blockBytes(directory: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await blockBytes(path);
    else if (entry.name.endsWith('.blk'))
      bytes += await stat(path)
        .then(({ size }) => size)
        .catch(() => 0);
  }
  return bytes;
}
