// Makes the tree of files that an image or a package of the events service consists of: the built program and exactly the
// dependencies that the lockfile names, without types, maps and tests. Nothing is downloaded: they are copied from where the
// workspace has them.
//
//   node scripts/image-tree.mjs DIRECTORY [--built]     --built: everything is compiled already
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build, root, say, setUp, writeCommit } from './toolchain.mjs';

const APP = join(root, 'apps', 'events-service');
/** What of our own packages is needed to run them. */
const OWN_PARTS = ['package.json', 'dist', 'bin', 'proto'];
/** Types, maps and prose are of no use at run time; licences are kept. */
const USELESS = /\.(?:d\.[cm]?ts|[cm]?ts|map|md|markdown|tsbuildinfo|flow|yml)$|^(?:tsconfig.*\.json|\.[^/]*)$/i;
const USELESS_FOLDERS = new Set(['node_modules', 'test', 'tests', '__tests__', 'coverage', 'benchmark', 'bench']);

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where `name` is found from `folder`, as Node looks for it; null where it is not. */
function find(name, folder) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (at === root || at === dirname(at)) return null;
  }
}

/** Names that a package needs at run time, and whether it can do without. */
function needs({ dependencies = {}, optionalDependencies = {}, peerDependencies = {} }) {
  const all = [
    ...Object.keys(peerDependencies).map((name) => [name, true]),
    ...Object.keys(optionalDependencies).map((name) => [name, true]),
    ...Object.keys(dependencies).map((name) => [name, false]),
  ];
  return new Map(all.filter(([name]) => !name.startsWith('@types/')));
}

/** Which package of the workspace (value) goes where (key): at the top unless another version of it is there already. */
function plan(out) {
  const placed = new Map([[out, APP]]);
  const queue = [out];
  const seenFrom = (name, at) => {
    for (let folder = at; folder.length >= out.length; folder = dirname(folder)) {
      const found = placed.get(join(folder, 'node_modules', name));
      if (found !== undefined) return found;
    }
    return null;
  };
  for (const at of queue) {
    const folder = placed.get(at);
    for (const [name, isOptional] of needs(manifest(folder))) {
      const wanted = find(name, folder);
      if (wanted === null) {
        if (isOptional) continue;
        throw new Error(`${name}, which ${folder} needs, is not installed`);
      }
      const seen = seenFrom(name, at);
      if (seen === wanted) continue;
      const place = join(seen === null ? out : at, 'node_modules', name);
      placed.set(place, wanted);
      queue.push(place);
    }
  }
  return placed;
}

function copy(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      if (!USELESS_FOLDERS.has(entry.name)) copy(source, target);
    } else if (entry.isFile() && !USELESS.test(entry.name)) {
      copyFileSync(source, target);
    }
  }
}

function copyPackage(from, to) {
  const isOwn = !relative(root, from).startsWith('node_modules');
  if (!isOwn) return copy(from, to);
  mkdirSync(to, { recursive: true });
  for (const part of OWN_PARTS) {
    const source = join(from, part);
    if (part === 'package.json') copyFileSync(source, join(to, part));
    else if (existsSync(source)) copy(source, join(to, part));
  }
  return copyFileSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
}

const [directory, flag] = process.argv.slice(2);
if (directory === undefined || (flag !== undefined && flag !== '--built')) {
  say('usage: node scripts/image-tree.mjs DIRECTORY [--built]');
  process.exit(1);
}
const out = resolve(directory);
if (existsSync(out) && readdirSync(out).length > 0) {
  say(`${out} is not empty`);
  process.exit(1);
}
if (flag === undefined) build(setUp());
else writeCommit();
const placed = plan(out);
for (const [to, from] of placed) copyPackage(from, to);
say(`${out}: the events service and ${placed.size - 1} packages`);
