/**
 * Assembles src/store/hash/highwayhash.wat into highwayhash.generated.ts. Run it after a change of the text:
 * `node packages/jetstream/scripts/assemble-highwayhash.ts`. A test compares the two.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

const source = new URL('../src/store/hash/highwayhash.wat', import.meta.url);
const target = new URL('../src/store/hash/highwayhash.generated.ts', import.meta.url);

/** The generated file's text as it follows from the WebAssembly text. */
export async function assembleHighwayHash(): Promise<string> {
  const features = { simd: true, bulk_memory: true };
  const { parseWat } = await wabt();
  const module = parseWat('highwayhash.wat', await readFile(source), features);
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
    '// Assembled from highwayhash.wat by scripts/assemble-highwayhash.ts.',
    '',
    '/** The WebAssembly module, base64. */',
    `export const HIGHWAYHASH_WASM: string =\n${lines.join(' +\n')};`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(target, await assembleHighwayHash());
}
