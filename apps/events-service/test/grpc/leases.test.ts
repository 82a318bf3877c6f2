import type { Service } from '@nats-ts/kv-registry';
import { expect, it } from 'vitest';
import { ManualClock } from '../../../../packages/kv-registry/test/support/manual-clock.ts';
import { Leases } from '../../src/grpc/leases.ts';
import { LEASES_MAX } from '../../src/grpc/limits.ts';

const SERVICE: Service = { name: 'gateway', version: '1', metadata: null, endpoints: null, nodes: [] };

function setUp() {
  const clock = new ManualClock();
  const calls: string[] = [];
  const registry = {
    announceFor: async (_: unknown, id: string) => void calls.push(`${clock.now()} put ${id}`),
    withdrawFor: async (_: unknown, id: string) => void calls.push(`${clock.now()} delete ${id}`),
  };
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  return { clock, calls, leases: new Leases({ registry: () => registry, intervalMs: 25_000, clock, onError }) };
}

it('puts what shall live longer again, and takes it out when its time is over', () => {
  const { clock, calls, leases } = setUp();
  leases.begin(SERVICE, 'a', 60_000);
  clock.advance(100_000);
  expect(calls).toEqual(['25000 put a', '50000 put a', '60000 delete a']);
});

it('takes out what shall live shorter', () => {
  const { clock, calls, leases } = setUp();
  leases.begin(SERVICE, 'a', 5_000);
  clock.advance(100_000);
  expect(calls).toEqual(['5000 delete a']);
});

it('begins anew with every registration, and ends with one without a time to live, or at the end', () => {
  const { clock, calls, leases } = setUp();
  leases.begin(SERVICE, 'a', 5_000);
  clock.advance(4_000);
  leases.begin(SERVICE, 'a', 5_000);
  clock.advance(4_000);
  leases.begin(SERVICE, 'a', 0);
  leases.begin(SERVICE, 'b', 5_000);
  leases.end(SERVICE, 'b');
  leases.begin(SERVICE, 'c', 5_000);
  leases.stop();
  clock.advance(100_000);
  expect(calls).toEqual([]);
});

it('are limited', () => {
  const { leases } = setUp();
  for (let i = 0; i < LEASES_MAX; i++) leases.begin(SERVICE, `${i}`, 5_000);
  expect(() => leases.expectRoom(SERVICE, 'more')).toThrow(`at most ${LEASES_MAX} nodes`);
  leases.expectRoom(SERVICE, '0');
  leases.end(SERVICE, '0');
  leases.expectRoom(SERVICE, 'more');
});
