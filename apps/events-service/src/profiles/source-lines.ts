import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Source maps that are read for one profile; code of further files is named by the built file. */
export const SOURCE_MAPS_MAX = 2_000;

/** A place in source code. */
export interface SourcePlace {
  readonly file: string;
  /** From 1; 0 = not known. */
  readonly line: number;
}

/** Finds the place in the sources for one in the code that runs, by the maps beside the built files. */
export class SourceLines {
  readonly #maps = new Map<string, SourceMap | null>();

  /** Reads the maps of these scripts. What has none is named as it is. */
  async read(urls: Iterable<string>): Promise<void> {
    for (const url of new Set(urls)) {
      if (!url.startsWith('file:') || this.#maps.has(url)) continue;
      if (this.#maps.size >= SOURCE_MAPS_MAX) return;
      this.#maps.set(url, await readMap(`${fileURLToPath(url)}.map`));
    }
  }

  /** @param line from 0. @param column from 0; Infinity = anywhere in the line. */
  place(url: string, line: number, column: number): SourcePlace {
    if (!url.startsWith('file:')) return { file: url, line: line + 1 };
    const file = fileURLToPath(url);
    const entry = this.#maps.get(url)?.findEntry(line, column);
    if (entry === undefined || !('originalSource' in entry)) return { file, line: line + 1 };
    return { file: resolve(dirname(file), entry.originalSource), line: entry.originalLine + 1 };
  }
}

async function readMap(path: string): Promise<SourceMap | null> {
  try {
    return new SourceMap(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
