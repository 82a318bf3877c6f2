import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Releases of nats-server that tests compare with: the reference, and the one that Go services embed today. */
export type OracleVersion = '2.15' | '2.10';

/** The repository's root folder. */
export const repositoryRoot: string = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const found = new Map<OracleVersion, string | null>();

/**
 * Path of a genuine nats-server, or null with one line on stderr that says why not. Looked for in the environment
 * (`NATS_ORACLE_2_15`, `NATS_ORACLE_2_10`), then through the fetching tool beside the repository.
 */
export function oraclePath(version: OracleVersion = '2.15'): string | null {
  const known = found.get(version);
  if (known !== undefined) return known;
  const path = locate(version);
  found.set(version, path);
  if (path === null) {
    const variable = variableOf(version);
    process.stderr.write(
      `skipping comparisons with nats-server ${version}: none at hand (set ${variable} to its path)\n`,
    );
  }
  return path;
}

function variableOf(version: OracleVersion): string {
  return `NATS_ORACLE_${version.replace('.', '_')}`;
}

function locate(version: OracleVersion): string | null {
  const given = process.env[variableOf(version)];
  if (given) return existsSync(given) ? given : null;
  const tool = join(repositoryRoot, '../shared/tools/nats-server-oracle');
  if (!existsSync(tool)) return null;
  const done = spawnSync(tool, [version], { encoding: 'utf8', timeout: 120_000 });
  const path = done.stdout?.trim();
  return done.status === 0 && path && existsSync(path) ? path : null;
}
