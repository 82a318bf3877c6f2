import { status } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { freePort, GoRegistry, until } from '../../../../tests/src/index.ts';
import { GrpcClient, type Stream, startGrpc } from '../support/grpc.ts';

const NAME = 'com.owncloud.api.gateway';

const start = (env: Record<string, string> = {}): ReturnType<typeof startGrpc> =>
  startGrpc({ MICRO_REGISTRY: 'nats-js-kv', ...env });

async function goRegistry(port: number): Promise<GoRegistry> {
  const go = new GoRegistry(port);
  onTestFinished(() => go[Symbol.dispose]());
  await go.init();
  return go;
}

function node(id: string, extra: object = {}): object {
  return { id: `${NAME}-${id}`, address: '10.0.0.1:9142', metadata: { protocol: 'grpc' }, ...extra };
}

function actions(watch: Stream): string[] {
  return watch.received.map(({ action, service }) => {
    const { name, nodes } = service as { name: string; nodes: { id: string }[] };
    return `${action} ${nodes[0]?.id.replace(`${name}-`, '')}`;
  });
}

it('registers for Go services, and shows what they registered', async () => {
  const { service, grpcPort } = await start();
  const client = GrpcClient.registry(grpcPort);
  const go = await goRegistry(service.port);
  const endpoint = {
    name: 'Gateway.Stat',
    request: { name: 'StatRequest', type: 'StatRequest', values: [{ name: 'ref', type: 'Reference', values: [] }] },
    response: null,
    metadata: { stream: 'false' },
  };
  // As go-micro 1 sends it: the port apart from the address.
  const nodes = [node('a', { address: '10.0.0.1', port: 9142 }), node('b', { address: '10.0.0.2:9142', port: 9142 })];
  expect(await client.call('Register', { name: NAME, version: '7.3.0', endpoints: [endpoint], nodes })).toEqual({});
  const stored = (await go.getService(NAME)).map((json) => JSON.parse(json) as Record<string, unknown>);
  expect(stored).toEqual([
    {
      name: NAME,
      version: '7.3.0',
      metadata: null,
      endpoints: [endpoint],
      nodes: [{ id: `${NAME}-a`, address: '10.0.0.1:9142', metadata: { protocol: 'grpc' } }],
    },
    expect.objectContaining({
      nodes: [{ id: `${NAME}-b`, address: '10.0.0.2:9142', metadata: { protocol: 'grpc' } }],
    }),
  ]);
  const json = `{"name":"${NAME}","version":"7.3.0","metadata":null,"endpoints":[],"nodes":[{"metadata":{},"id":"${NAME}-go","address":"[::1]:1"}]}`;
  await go.register(`${NAME}@go@7.3.0`, json);
  const { services } = (await client.call('GetService', { service: NAME })) as { services: Record<string, unknown>[] };
  expect(services).toHaveLength(1);
  expect(services[0]).toMatchObject({ name: NAME, version: '7.3.0', endpoints: [endpoint] });
  expect(services[0]?.['nodes']).toEqual([
    { id: `${NAME}-a`, address: '10.0.0.1:9142', port: 0, metadata: { protocol: 'grpc' } },
    { id: `${NAME}-b`, address: '10.0.0.2:9142', port: 0, metadata: { protocol: 'grpc' } },
    { id: `${NAME}-go`, address: '[::1]:1', port: 0, metadata: {} },
  ]);
  await until('the service itself is listed too', async () => {
    const listed = (await client.call('ListServices', {}))['services'] as { name: string }[];
    return listed.map(({ name }) => name).join() === `${NAME},com.owncloud.api.nats`;
  });
  await client.call('Deregister', { name: NAME, version: '7.3.0', nodes: [node('a'), node('go')] });
  expect((await go.getService(NAME)).map((text) => JSON.parse(text).nodes[0].id)).toEqual([`${NAME}-b`]);
});

it('says that nobody serves it, and what is wrong with a request, as go-micro does', async () => {
  const { grpcPort } = await start();
  const client = GrpcClient.registry(grpcPort);
  const failing = client.call('GetService', { service: 'nobody' });
  await expect(failing).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: '{"id":"go.micro.registry","code":404,"detail":"service not found","status":"Not Found"}',
  });
  const options = { domain: 'elsewhere' };
  const wrong: [string, object, RegExp][] = [
    ['GetService', {}, /service is empty/],
    ['GetService', { service: NAME, options }, /domains are not supported/],
    ['Register', { nodes: [node('a')] }, /name is empty/],
    ['Register', { name: NAME }, /0 nodes, expected 1 to 100/],
    ['Register', { name: NAME, nodes: Array.from({ length: 101 }, (_, i) => node(`${i}`)) }, /101 nodes/],
    ['Register', { name: NAME, nodes: [{ address: 'a:1' }] }, /a node has no id/],
    ['Register', { name: NAME, nodes: [{ id: 'a' }] }, /node \\"a\\" has no address, expected host:port/],
    ['Register', { name: NAME, nodes: [{ id: 'a', address: 'h', port: 65_536 }] }, /has the port 65536/],
    ['Register', { name: NAME, nodes: [{ id: 'a', address: 'h', port: -1 }] }, /has the port -1/],
    ['Register', { name: 'a@b', nodes: [node('a')] }, /must not contain/],
    ['Register', { name: NAME, nodes: [node('a')], options: { ttl: -1 } }, /options.ttl is -1/],
    ['Deregister', { name: NAME }, /0 nodes/],
  ];
  for (const [method, request, details] of wrong) {
    const error: unknown = await client.call(method, request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(details) });
  }
  const watch = await client.stream('Watch', { options });
  expect(watch.failure()).toMatchObject({ code: status.INVALID_ARGUMENT });
});

it('tells watchers of creation, change, withdrawal and of nodes that died (ocis#10412)', async () => {
  const times = { EXPERIMENTAL_REGISTER_TTL: '1s', EXPERIMENTAL_REGISTER_INTERVAL: '300ms' };
  const { service, grpcPort } = await start(times);
  const client = GrpcClient.registry(grpcPort);
  const go = await goRegistry(service.port);
  await client.call('Register', { name: 'other', nodes: [{ id: 'other-1', address: 'a:1' }] });
  const all = await client.stream('Watch', {});
  const one = await client.stream('Watch', { service: NAME });
  const gateway = { name: NAME, version: '7.3.0', options: { ttl: 60 } };
  // A time to live of its own, longer than the bucket's: the service keeps it there.
  await client.call('Register', { ...gateway, nodes: [node('lives')] });
  await client.call('Register', { ...gateway, nodes: [node('lives', { address: '10.0.0.9:1' })] });
  await client.call('Register', { ...gateway, nodes: [node('short')], options: { ttl: 1 } });
  await go.register(
    `${NAME}@dies@7.3.0`,
    `{"name":"${NAME}","version":"7.3.0","nodes":[{"id":"${NAME}-dies","address":"a:1"}]}`,
  );
  await until('the dead are gone', () => ['delete dies', 'delete short'].every((text) => actions(one).includes(text)));
  expect(actions(one)).toEqual(expect.arrayContaining(['create lives', 'update lives', 'create short', 'create dies']));
  expect(actions(one)).not.toContain('delete lives');
  expect(actions(all)).toEqual(expect.arrayContaining(['create 1', 'delete 1', 'create lives']));
  await until('only one is left', async () => (await go.getService(NAME)).length === 1);
  await client.call('Deregister', { ...gateway, nodes: [node('lives')] });
  await until('the withdrawal is told', () => actions(one).includes('delete lives'));
  const { timestamp } = one.received[0] as { timestamp: number };
  expect(Math.abs(Date.now() / 1000 - timestamp)).toBeLessThan(60);
  all.cancel();
  // The others end with the service.
  expect(await service.process.stop()).toBe(0);
  await until('the watch has ended', () => !one.isOpen());
  expect(one.failure()).toMatchObject({ code: status.UNAVAILABLE });
});

it('is unavailable while its server is away, and goes on when that is back', async () => {
  const remotePort = await freePort();
  const { grpcPort } = await start({ MICRO_REGISTRY_ADDRESS: `127.0.0.1:${remotePort}` });
  const client = GrpcClient.registry(grpcPort);
  await expect(client.call('ListServices', {})).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining('not connected to 127.0.0.1'),
  });
  const health = GrpcClient.health(grpcPort);
  expect(await health.call('Check', { service: 'registry' })).toEqual({ status: 'NOT_SERVING' });
  expect(await health.call('Check', {})).toEqual({ status: 'SERVING' });
  // A watch waits, and one that is given up leaves nothing behind.
  const [waiting, given] = [await client.stream('Watch', {}), await client.stream('Watch', {})];
  given.cancel();
  const state = await health.stream('Watch', { service: 'registry' });
  await start({ NATS_NATS_PORT: `${remotePort}` });
  await until(
    'both services are seen',
    () => actions(waiting).filter((text) => text.startsWith('create')).length === 2,
  );
  await until('health has followed', () => state.received.length === 2);
  expect(state.received).toEqual([{ status: 'NOT_SERVING' }, { status: 'SERVING' }]);
});
