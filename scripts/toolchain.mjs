// Finds or fetches the toolchain: a Node that is new enough, and the pinned pnpm.
// Runs on any Node >= 18 with nothing installed, so it uses only what that Node brings.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const TOOLS = join(root, '.tools');
/** The Node that is fetched where the one at hand is too old. */
const NODE_PINNED = '24.21.0';
/** The oldest Node the sources run on (they are executed with their types erased). */
const NODE_OLDEST = [22, 18];

/** Prints one line about what the set-up is doing. */
export function say(text) {
  process.stderr.write(`nats-ts: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_OLDEST[0] || (major === NODE_OLDEST[0] && minor >= NODE_OLDEST[1]);
}

function npmInstall(prefix, spec) {
  mkdirSync(prefix, { recursive: true });
  if (!existsSync(join(prefix, 'package.json'))) writeFileSync(join(prefix, 'package.json'), '{"private":true}\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const done = spawnSync(
    npm,
    ['install', '--no-save', '--no-package-lock', '--loglevel=error', '--prefix', prefix, spec],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      cwd: prefix,
      shell: process.platform === 'win32',
    },
  );
  if (done.error) fail(`could not run npm: ${done.error.message}`);
  if (done.status !== 0) fail(`npm install ${spec} failed (exit ${done.status})`);
}

/** Path of a Node that is new enough: the running one, or the pinned one below .tools/. */
export function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(TOOLS, `node-${NODE_PINNED}`);
  const binary = join(prefix, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    say(
      `Node ${process.versions.node} is older than ${NODE_OLDEST.join('.')}; fetching Node ${NODE_PINNED} into .tools/`,
    );
    npmInstall(prefix, `${name}@${NODE_PINNED}`);
    if (!existsSync(binary)) fail(`${name}@${NODE_PINNED} did not bring ${binary}`);
  }
  return binary;
}

/** Path of the pinned pnpm's script, fetched into .tools/ on first use. */
export function findPnpm() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = manifest.packageManager.split('@')[1];
  const prefix = join(TOOLS, `pnpm-${version}`);
  const folder = join(prefix, 'node_modules', 'pnpm');
  if (!existsSync(join(folder, 'package.json'))) {
    say(`fetching pnpm ${version} into .tools/`);
    npmInstall(prefix, `pnpm@${version}`);
  }
  const bin = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).bin;
  return join(folder, typeof bin === 'string' ? bin : bin.pnpm);
}

/** A folder with a `pnpm` in it: turbo asks for one on PATH. */
function pnpmOnPath(node) {
  const folder = join(TOOLS, 'bin');
  mkdirSync(folder, { recursive: true });
  const launcher = join(folder, 'pnpm');
  writeFileSync(launcher, `#!/bin/sh\nexec "${node}" "${findPnpm()}" "$@"\n`);
  chmodSync(launcher, 0o755);
  return folder;
}

/** Environment in which `node` is the one that findNode() gave. */
export function toolEnvironment(node) {
  const separator = process.platform === 'win32' ? ';' : ':';
  const bins = [dirname(node), join(root, 'node_modules', '.bin'), join(TOOLS, 'bin')].join(separator);
  return {
    ...process.env,
    PATH: `${bins}${separator}${process.env.PATH ?? ''}`,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  };
}

/** Runs a program in the foreground and ends this process with its code if it fails. */
export function run(node, args, options = {}) {
  const done = spawnSync(node, args, { stdio: ['ignore', 2, 2], cwd: root, env: toolEnvironment(node), ...options });
  if (done.error) fail(`could not run ${args[0]}: ${done.error.message}`);
  if (done.status !== 0 && !options.tolerate) process.exit(done.status ?? 1);
  return done;
}

/** True where node_modules stands as the lockfile says. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.modules.yaml');
  const lock = join(root, 'pnpm-lock.yaml');
  const current = join(root, 'node_modules', '.pnpm', 'lock.yaml');
  return (
    existsSync(installed) &&
    existsSync(current) &&
    readFileSync(lock, 'utf8') === readFileSync(current, 'utf8') &&
    statSync(installed).isFile()
  );
}

/** Fetches what is missing: Node if too old, pnpm, the dependencies. Returns the Node to go on with. */
export function setUp() {
  const node = findNode();
  if (!isInstalled()) {
    const pnpm = findPnpm();
    say('installing dependencies');
    run(node, [pnpm, 'install', '--frozen-lockfile', '--reporter=append-only', '--config.confirm-modules-purge=false']);
  }
  return node;
}

/** Compiles every package and app (turbo skips what has not changed). */
export function build(node) {
  say('building');
  pnpmOnPath(node);
  run(node, [
    join(root, 'node_modules', 'turbo', 'bin', 'turbo'),
    'run',
    'build',
    '--output-logs=errors-only',
    '--no-update-notifier',
  ]);
  writeCommit();
  // The launchers in apps/*/bin start with this Node when the one on PATH is too old or absent.
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(join(TOOLS, 'node-path'), `${node}\n`);
}

/** Leaves the commit ($COMMIT, else git's) beside the program, for `events-service version`; none where nobody knows it. */
export function writeCommit() {
  const asked = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const { COMMIT } = { ...process.env };
  const commit = COMMIT || (asked.status === 0 ? asked.stdout : '');
  const file = join(root, 'apps', 'events-service', 'dist', 'commit');
  if (commit !== '' && existsSync(dirname(file))) writeFileSync(file, `${commit.trim()}\n`);
}
