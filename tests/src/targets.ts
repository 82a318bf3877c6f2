import { describe } from 'vitest';
import { oraclePath } from './oracle.ts';
import { type ProcessOptions, ServerProcess } from './server-process.ts';

/** A server that a conformance scenario runs against: ours or the genuine one. */
export interface Target {
  readonly name: 'natsd' | 'nats-server';
  /** Starts it with nats-server's flags, on a random loopback port unless told otherwise. */
  start(options?: ProcessOptions): Promise<ServerProcess>;
}

const LOOPBACK = ['-a', '127.0.0.1', '-p', '-1'];

export const natsd: Target = {
  name: 'natsd',
  start: (options = {}) => ServerProcess.natsd({ ...options, args: [...LOOPBACK, ...(options.args ?? [])] }),
};

export const natsServer: Target = {
  name: 'nats-server',
  start: (options = {}) => ServerProcess.oracle({ ...options, args: [...LOOPBACK, ...(options.args ?? [])] }),
};

/**
 * The same suite for both servers: what holds for the genuine one must hold for ours.
 * `NATS_TS_TARGET=nats-server` or `=natsd` runs only one of them.
 */
export function describeTargets(title: string, suite: (target: Target) => void): void {
  const only = process.env['NATS_TS_TARGET'];
  for (const target of [natsServer, natsd]) {
    const wanted = only === undefined || only === target.name;
    const possible = target === natsd || (wanted && oraclePath() !== null);
    describe.runIf(wanted && possible)(`${title} (${target.name})`, () => suite(target));
  }
}
