// npm start: everything from a fresh clone to a running events service.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, root, say, setUp, toolEnvironment } from './toolchain.mjs';

const node = setUp();
build(node);
const env = toolEnvironment(node);
// Trying it out must never touch a live directory, so the defaults differ from the installed service's.
if (!env.NATS_NATS_STORE_DIR && !env.OCIS_BASE_DATA_PATH && !env.OC_BASE_DATA_PATH)
  env.NATS_NATS_STORE_DIR = join(root, '.data');
env.NATS_LOG_LEVEL ??= env.OCIS_LOG_LEVEL ?? 'info';
say('starting the events service (Ctrl-C stops it)');
const service = spawn(join(root, 'apps/events-service/bin/events-service'), ['server', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP']) process.on(signal, () => service.kill(signal));
service.on('error', (error) => {
  say(`could not start: ${error.message}`);
  process.exit(1);
});
service.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
