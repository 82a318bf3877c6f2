import { join } from 'node:path';
import { build, root, run, setUp } from './toolchain.mjs';

const node = setUp();
build(node);
run(node, ['--conditions=@nats-ts/source', join(root, 'bench/src/run.ts'), ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
