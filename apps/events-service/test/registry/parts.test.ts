import { hostname } from 'node:os';
import type { Service } from '@nats-ts/kv-registry';
import { startServer } from '@nats-ts/natsd';
import { describe, expect, it } from 'vitest';
import { HostLink, PENDING_REQUESTS_MAX } from '../../src/registry/host-link.ts';
import { COUNTED_NODES_MAX, NodeTable } from '../../src/registry/node-table.ts';
import { advertisedAddress, isOwnAddress } from '../../src/registry/own-address.ts';

const EMPTY = new Uint8Array(0);

describe('an address of the registry', () => {
  it.each([
    ['127.0.0.1:9233', '127.0.0.1', true],
    ['localhost:9233', '127.0.0.1', true],
    ['nats://user:secret@127.0.0.1:9233', '127.0.0.1', true],
    ['[::1]:9233', '::1', true],
    ['127.0.0.1:9233', '0.0.0.0', true],
    ['0.0.0.0:9233', '', true],
    [`${hostname()}:9233`, '0.0.0.0', true],
    ['10.1.2.3:9233', '10.1.2.3', true],
    ['127.0.0.1:9234', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.1', false],
    ['127.0.0.1:9233', '10.1.2.3', false],
    ['nats.example.org:9233', '0.0.0.0', false],
  ])('%s is that of a service on %j: %s', (address, host, isOwn) => {
    expect(isOwnAddress(address, { host, port: 9233 })).toBe(isOwn);
  });

  it('without a port has that of NATS', () => {
    expect(isOwnAddress('localhost', { host: '127.0.0.1', port: 4222 })).toBe(true);
  });

  it('that others are told is the one bound to, or one of the machine', () => {
    expect(advertisedAddress({ host: '10.1.2.3', port: 1 })).toBe('10.1.2.3:1');
    expect(advertisedAddress({ host: 'fd00::1', port: 1 })).toBe('[fd00::1]:1');
    expect(advertisedAddress({ host: '', port: 1 })).toMatch(/^[^:]+:1$/);
  });
});

describe('the way to the server in the process', () => {
  it('fails requests beyond its limit, and those that are nobody’s at once', async () => {
    await using server = await startServer({ port: -1 });
    const account = server.server.host.account('$G');
    if (account === null) throw new Error('there is no $G');
    const link = new HostLink(account, 'it');
    expect(await link.request('nobody', EMPTY)).toMatchObject({ status: 503 });
    const silent = account.subscribe('silent', null, () => true);
    const waiting = Array.from({ length: PENDING_REQUESTS_MAX }, () => link.request('silent', EMPTY));
    const failed = Promise.allSettled(waiting);
    await expect(link.request('silent', EMPTY)).rejects.toMatchObject({ code: 'limit' });
    silent.close();
    await link.close();
    await expect(link.request('silent', EMPTY)).rejects.toMatchObject({ code: 'closed' });
    expect((await failed).every(({ status }) => status === 'rejected')).toBe(true);
  });
});

it('nodes are counted up to a limit', () => {
  const table = new NodeTable();
  const service = (id: string): Service => ({
    name: 'gateway',
    version: '1',
    metadata: null,
    endpoints: null,
    nodes: [{ id, address: '', metadata: null }],
  });
  for (let i = 0; i <= COUNTED_NODES_MAX; i++) table.handle({ action: 'create', service: service(`n${i}`) });
  expect([table.size, table.counts().get('gateway')]).toEqual([COUNTED_NODES_MAX, COUNTED_NODES_MAX]);
  table.handle({ action: 'delete', service: service('n0') });
  table.handle({ action: 'delete', service: service('n0') });
  expect(table.size).toBe(COUNTED_NODES_MAX - 1);
});
