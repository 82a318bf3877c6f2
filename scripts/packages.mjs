// Package hygiene: every publishable package is packed and checked as its users would get it (publint, attw).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPnpm, root, say, setUp, toolEnvironment } from './toolchain.mjs';

const node = setUp();
const pnpm = findPnpm();
const env = toolEnvironment(node);
const out = mkdtempSync(join(tmpdir(), 'nats-ts-pack-'));
let failed = 0;

function check(title, command, args, cwd) {
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (done.status === 0) return true;
  failed++;
  say(`${title} failed:\n${done.stdout}${done.stderr}`);
  return false;
}

for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const folder = join(root, group, name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (!check(`pack ${manifest.name}`, node, [pnpm, 'pack', '--pack-destination', out], folder)) continue;
    const tarball = join(out, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
    const lint = check(
      `publint ${manifest.name}`,
      join(root, 'node_modules/.bin/publint'),
      ['run', tarball, '--strict'],
      folder,
    );
    const types = check(
      `attw ${manifest.name}`,
      join(root, 'node_modules/.bin/attw'),
      [tarball, '--profile', 'esm-only'],
      folder,
    );
    if (lint && types) say(`${manifest.name}: packed, exports and types resolve`);
  }
}
rmSync(out, { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);
