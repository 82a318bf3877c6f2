import { Writable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { MemoryBucket, Registry } from '@nats-ts/kv-registry';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../tests/src/index.ts';
import { Leases, SYSTEM_LEASE_CLOCK } from '../../src/grpc/leases.ts';
import { WATCH_EVENTS_PENDING_MAX } from '../../src/grpc/limits.ts';
import { RegistryHandlers } from '../../src/grpc/registry-handlers.ts';

/** A call whose client takes nothing. */
class StuckCall extends Writable {
  readonly request = { service: '', options: null };
  readonly cancelled = false;
  failure: { code: number } | null = null;

  constructor() {
    super({ objectMode: true, write: () => {} });
    this.on('error', (error) => {
      this.failure = error as unknown as { code: number };
    });
  }

  sendMetadata(): void {}
}

it('a watch ends when too many events wait for its client', async () => {
  const registry = new Registry({ bucket: new MemoryBucket(), processId: 'p' });
  onTestFinished(() => registry.close());
  const announce = (i: number) =>
    registry.announceFor({ name: 's', version: '1', metadata: null, endpoints: null, nodes: [] }, `${i}`);
  for (let i = 0; i < WATCH_EVENTS_PENDING_MAX; i++) await announce(i);
  const leases = new Leases({ registry: () => registry, intervalMs: 1, clock: SYSTEM_LEASE_CLOCK, onError: () => {} });
  const calls = new RegistryHandlers({
    registry: () => registry,
    leases,
    nowSeconds: () => 0,
  });
  const call = new StuckCall();
  const watch = calls.handlers['Watch'] as unknown as (call: StuckCall) => void;
  watch(call);
  await until('what is there was written', () => call.writableLength === WATCH_EVENTS_PENDING_MAX);
  expect(call.failure).toBeNull();
  await announce(-1);
  await until('the watch has failed', () => call.failure);
  expect(call.failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});
