/**
 * Assembles src/connection/arena.wat into arena.generated.ts. Run it after a change of the text:
 * `node packages/server/scripts/assemble-arena.ts`. A test compares the two.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

const source = new URL('../src/connection/arena.wat', import.meta.url);
const target = new URL('../src/connection/arena.generated.ts', import.meta.url);

/** The generated file's text as it follows from the WebAssembly text. */
export async function assembleArena(): Promise<string> {
  const { parseWat } = await wabt();
  const module = parseWat('arena.wat', await readFile(source), { simd: true, bulk_memory: true });
  module.resolveNames();
  module.validate();
  const { buffer } = module.toBinary({ write_debug_names: false });
  module.destroy();
  const lines = (
    Buffer.from(buffer)
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  ).map((line) => `  '${line}'`);
  return [
    '// Assembled from arena.wat by scripts/assemble-arena.ts.',
    '',
    '/** The WebAssembly module, base64. */',
    `export const ARENA_WASM: string =\n${lines.join(' +\n')};`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(target, await assembleArena());
}
