import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot, ServerProcess } from '../../../../tests/src/index.ts';

/** The built program. */
export const BINARY: string = join(repositoryRoot, 'apps/natsd/bin/natsd');

/** Runs it to its end. */
export function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(BINARY, args, { encoding: 'utf8', timeout: 20_000 });
}

/** Starts it on a free loopback port. */
export function start(...args: string[]): Promise<ServerProcess> {
  return ServerProcess.natsd({ args: ['-a', '127.0.0.1', '-p', '-1', ...args] });
}
