import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** This software's own version. */
export function ownVersion(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version;
}

/** The commit it was built from, which the build leaves beside the program; null where nobody knows. */
export function ownCommit(): string | null {
  try {
    return readFileSync(new URL('../dist/commit', import.meta.url), 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** What `version` prints. */
export function versionLine(): string {
  const commit = ownCommit() ?? 'unknown';
  return `events-service ${ownVersion()} (nats-ts), behaves as nats-server 2.15.1, Node ${process.versions.node}, commit ${commit}`;
}
