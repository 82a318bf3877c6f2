import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { TempDir, until, WireClient } from '../../../../tests/src/index.ts';
import { makeAuthority, makeCertificate } from '../../../natsd/test/support/certificates.ts';
import { CONCURRENT_STREAMS_MAX, RECEIVED_BYTES_MAX, SENT_BYTES_MAX, WATCHERS_MAX } from '../../src/grpc/limits.ts';
import { GrpcClient, type Stream, startGrpc } from '../support/grpc.ts';
import { inProcess } from '../support/in-process.ts';
import { logLines, RunningService, run, serviceEnv } from '../support/service.ts';

describe('health', () => {
  it('follows the state of each component', async () => {
    using dir = new TempDir('events-grpc');
    const { service, disk } = await inProcess(dir.path, { NATS_GRPC_ADDR: '127.0.0.1:0', NATS_GRPC_TOKEN: 'secret' });
    await using _ = service;
    await service.start();
    // No token: probes have none.
    const health = GrpcClient.health(service.grpcPort);
    const check = async (name: string) => (await health.call('Check', { service: name }))['status'];
    for (const name of ['', 'server', 'jetstream', 'registry'])
      await until(`${name} serves`, async () => (await check(name)) === 'SERVING');
    await expect(check('nothing')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const [whole, jetstream, unknown] = [
      await health.stream('Watch', {}),
      await health.stream('Watch', { service: 'jetstream' }),
      await health.stream('Watch', { service: 'nothing' }),
    ];
    await using client = await WireClient.connect(service.port);
    await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
    disk.full = true;
    await client.request('main-queue', 'does not fit');
    expect([await check(''), await check('jetstream'), await check('server')]).toEqual([
      'NOT_SERVING',
      'NOT_SERVING',
      'SERVING',
    ]);
    await until('watchers know', () => whole.received.length === 2 && jetstream.received.length === 2);
    disk.full = false;
    await until('there is room again', async () => {
      await client.request('main-queue', 'fits');
      return (await check('jetstream')) === 'SERVING';
    });
    const seen = [{ status: 'SERVING' }, { status: 'NOT_SERVING' }, { status: 'SERVING' }];
    await until('watchers know', () => whole.received.length === 3 && jetstream.received.length === 3);
    expect([whole.received, jetstream.received]).toEqual([seen, seen]);
    expect(unknown.received).toEqual([{ status: 'SERVICE_UNKNOWN' }]);
    const { statuses } = await health.call('List', {});
    expect(statuses).toMatchObject({ '': { status: 'SERVING' }, registry: { status: 'SERVING' } });
    await service.stop();
    await until('the end is told', () => !whole.isOpen());
    expect(whole.received.at(-1)).toEqual({ status: 'NOT_SERVING' });
  });
});

describe('the gRPC server', () => {
  it('that cannot listen ends the start, with nothing but lines of the log', async () => {
    using dir = new TempDir('events-grpc');
    await using taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const addr = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const { status: code, stderr } = run(['server'], serviceEnv(dir.path, { NATS_GRPC_ADDR: addr }));
    expect(code).toBe(1);
    expect(logLines(stderr).at(-1)?.message).toContain(`NATS_GRPC_ADDR: cannot listen on ${addr}: `);
  });

  it('asks for the token', async () => {
    const { grpcPort } = await startGrpc({ NATS_GRPC_TOKEN: 'secret' });
    for (const token of [undefined, 'wrong', 'secret!']) {
      const client = GrpcClient.registry(grpcPort, token === undefined ? {} : { token });
      await expect(client.call('ListServices', {})).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
        details: 'invalid or missing token',
      });
      expect((await client.stream('Watch', {})).failure()).toMatchObject({ code: status.UNAUTHENTICATED });
    }
    const client = GrpcClient.registry(grpcPort, { token: 'secret' });
    expect(await client.call('ListServices', {})).toHaveProperty('services');
    expect(await GrpcClient.health(grpcPort).call('Check', {})).toEqual({ status: 'SERVING' });
  });

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

  it.runIf(hasOpenssl)('speaks TLS, and takes only clients with a certificate if told to', async () => {
    using dir = new TempDir('events-grpc-tls');
    const authority = makeAuthority(dir.path, 'authority');
    const server = makeCertificate(dir.path, 'server', authority);
    const own = makeCertificate(dir.path, 'own', authority);
    const env = { NATS_GRPC_TLS_CERT: server.cert, NATS_GRPC_TLS_KEY: server.key };
    const ca = readFileSync(authority.cert);
    const anonymous = { credentials: credentials.createSsl(ca) };
    const known = { credentials: credentials.createSsl(ca, readFileSync(own.key), readFileSync(own.cert)) };
    const open = await startGrpc(env);
    expect(await GrpcClient.health(open.grpcPort, anonymous).call('Check', {})).toEqual({ status: 'SERVING' });
    await expect(GrpcClient.health(open.grpcPort).call('Check', {}, 2_000)).rejects.toMatchObject({
      code: expect.toBeOneOf([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]),
    });
    const closed = await startGrpc({ ...env, NATS_GRPC_TLS_CLIENT_CA: authority.cert });
    expect(await GrpcClient.health(closed.grpcPort, known).call('Check', {})).toEqual({ status: 'SERVING' });
    await expect(GrpcClient.health(closed.grpcPort, anonymous).call('Check', {}, 2_000)).rejects.toMatchObject({
      code: expect.toBeOneOf([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]),
    });
  });

  it('describes itself', async () => {
    const { grpcPort } = await startGrpc();
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve('@grpc/reflection/package.json'));
    const proto = join(folder, 'build/proto/grpc/reflection/v1/reflection.proto');
    const client = new GrpcClient('grpc.reflection.v1.ServerReflection', proto, grpcPort);
    const answers = await client.converse('ServerReflectionInfo', [
      { list_services: '' },
      { file_containing_symbol: 'go.micro.registry.Registry' },
    ]);
    const names = JSON.stringify(answers[0]);
    expect(names).toContain('go.micro.registry.Registry');
    expect(names).toContain('grpc.health.v1.Health');
    expect(answers[1]).toHaveProperty('file_descriptor_response');
  });

  it.each([
    [{ NATS_GRPC_ADDR: '127.0.0.1:TAKEN' }, /NATS_GRPC_ADDR: cannot listen on 127\.0\.0\.1:\d+/],
    [{ NATS_GRPC_ADDR: 'nowhere' }, /env NATS_GRPC_ADDR: grpc\.addr is .*expected an address as host:port/],
    [{ NATS_GRPC_TLS_CERT: '/no.crt' }, /env NATS_GRPC_TLS_CERT: grpc\.tls_cert is set without grpc\.tls_key/],
    [{ NATS_GRPC_TLS_CLIENT_CA: '/no.crt' }, /grpc\.tls_client_ca is set without grpc\.tls_cert/],
    [
      { NATS_GRPC_ADDR: '127.0.0.1:0', NATS_GRPC_TLS_CERT: '/no.crt', NATS_GRPC_TLS_KEY: '/no.key' },
      /cannot read \/no\.crt \(NATS_GRPC_TLS_CERT\)/,
    ],
    [{ NATS_REGISTRY_TLS_CERT: '/no', NATS_REGISTRY_TLS_KEY: '/no' }, /expected registry\.enable_tls to be true/],
  ])('fails to start with %j', async (env, problem) => {
    using dir = new TempDir('events-grpc');
    const { grpcPort } = await startGrpc();
    const given: Record<string, string> = { ...env };
    if (given['NATS_GRPC_ADDR']) given['NATS_GRPC_ADDR'] = given['NATS_GRPC_ADDR'].replace('TAKEN', `${grpcPort}`);
    await using service = RunningService.launch(serviceEnv(dir.path, given));
    expect(await service.process.ended()).toBe(1);
    expect(service.output).toMatch(problem);
  });

  it('refuses messages beyond its limit', async () => {
    const { grpcPort } = await startGrpc();
    const client = GrpcClient.registry(grpcPort);
    const failing = client.call('Register', { name: 'x'.repeat(RECEIVED_BYTES_MAX), nodes: [{ id: 'a' }] });
    await expect(failing).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await client.call('Register', { name: 'fits', nodes: [{ id: 'a', address: 'a:1' }] });
  });

  it('sends no message beyond its limit', async () => {
    const { grpcPort } = await startGrpc();
    // The server's limit is what counts, not that of the client.
    const client = GrpcClient.registry(grpcPort, { channel: { 'grpc.max_receive_message_length': -1 } });
    // The registry holds it in base64, in one message.
    const fill = 'x'.repeat(Math.floor(RECEIVED_BYTES_MAX * 0.7));
    const node = (id: number): object => ({ id: `${id}`, address: 'a:1', metadata: { fill } });
    const register = (id: number) => client.call('Register', { name: 'large', nodes: [node(id)] });
    const received = async (): Promise<number> =>
      JSON.stringify(await client.call('GetService', { service: 'large' })).length;
    const fitting = Math.floor(SENT_BYTES_MAX / fill.length);
    for (let id = 0; id < fitting; id++) await register(id);
    await until('all of them are sent', async () => (await received()) > fitting * fill.length);
    await register(fitting);
    let failure: unknown = null;
    await until('the answer is too large', () =>
      received().then(
        () => false,
        (error: unknown) => {
          failure = error;
          return true;
        },
      ),
    );
    expect(failure).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining(`vs. ${SENT_BYTES_MAX}`),
    });
    await client.call('Deregister', { name: 'large', nodes: [{ id: '0', address: 'a:1' }] });
    await until('the rest fits again', async () => (await received().catch(() => 0)) > 0);
  });

  it('runs a limited number of calls on a connection, and of watches on all of them', async () => {
    const { grpcPort } = await startGrpc();
    const client = GrpcClient.registry(grpcPort);
    const watches: Stream[] = [];
    for (let i = 0; i < CONCURRENT_STREAMS_MAX; i++) watches.push(await client.stream('Watch', { service: 'a' }));
    await expect(client.call('ListServices', {}, 300)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    watches.pop()?.cancel();
    await until('there is room for a call', async () => await client.call('ListServices', {}));
    while (watches.length < WATCHERS_MAX) {
      const next = GrpcClient.registry(grpcPort);
      const more = Math.min(CONCURRENT_STREAMS_MAX, WATCHERS_MAX - watches.length);
      watches.push(...(await Promise.all(Array.from({ length: more }, () => next.stream('Watch', { service: 'a' })))));
    }
    expect(watches.filter((watch) => !watch.isOpen())).toEqual([]);
    const other = GrpcClient.registry(grpcPort);
    expect((await other.stream('Watch', {})).failure()).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    watches.pop()?.cancel();
    await until('there is room for one more', async () => (await other.stream('Watch', {})).isOpen());
  });
});
