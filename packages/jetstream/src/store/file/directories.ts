import { dirname } from 'node:path';
import type { FileSystem } from './file-system.ts';

/** Creates a directory and its parents so that they are there after a power cut. One that is there already is fine. */
export async function makeDurableDirectory(fs: FileSystem, path: string): Promise<void> {
  if (await fs.isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeDurableDirectory(fs, parent);
  await fs.mkdir(path);
  await fs.fsyncDir(parent);
}
