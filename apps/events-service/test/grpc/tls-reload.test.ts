import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { TempDir, until } from '../../../../tests/src/index.ts';
import { type CertificateFiles, makeAuthority, makeCertificate } from '../../../natsd/test/support/certificates.ts';
import { TlsCredentials } from '../../src/grpc/tls-credentials.ts';
import { GrpcClient, startGrpc } from '../support/grpc.ts';

/** The name of the certificate that a new connection is shown. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connect(options, () => {
      resolve(socket.getPeerX509Certificate()?.subject ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Files that the service follows; `write` puts the content of others into them. */
class FollowedFiles {
  readonly cert: string;
  readonly key: string;

  constructor(folder: string, first: CertificateFiles) {
    this.cert = join(folder, 'grpc.crt');
    this.key = join(folder, 'grpc.key');
    this.write(first);
  }

  write({ cert, key }: CertificateFiles): void {
    writeFileSync(this.cert, readFileSync(cert));
    writeFileSync(this.key, readFileSync(key));
  }
}

it('shows new connections the new certificate, goes on with those it has, and keeps it when what follows cannot be used', async () => {
  using dir = new TempDir('events-grpc-tls');
  const [old, young] = ['old', 'young'].map((name) => makeAuthority(dir.path, name));
  const first = makeCertificate(dir.path, 'first', old!);
  const second = makeCertificate(dir.path, 'second', young!);
  const files = new FollowedFiles(dir.path, first);
  const { service, grpcPort: port } = await startGrpc({ NATS_GRPC_TLS_CERT: files.cert, NATS_GRPC_TLS_KEY: files.key });
  const trusting = (authority: CertificateFiles) => ({
    credentials: credentials.createSsl(readFileSync(authority.cert)),
  });
  // It would not get through again: it does not trust the authority of the second certificate.
  const lasting = GrpcClient.health(port, trusting(old!));
  const watch = await lasting.stream('Watch', { service: 'server' });
  expect(await shownName(port)).toBe('CN=first');

  files.write(second);
  await until('the second certificate is shown', async () => (await shownName(port)) === 'CN=second');
  expect(service.output).toContain(`took the certificate in ${files.cert} (NATS_GRPC_TLS_CERT) into use`);
  expect(await GrpcClient.health(port, trusting(young!)).call('Check', {})).toEqual({ status: 'SERVING' });
  await expect(GrpcClient.health(port, trusting(old!)).call('Check', {}, 1_000)).rejects.toThrow();
  expect(await lasting.call('Check', {})).toEqual({ status: 'SERVING' });
  expect(watch.isOpen()).toBe(true);

  for (const broken of ['no certificate at all', readFileSync(first.cert, 'utf8')]) {
    const errors = service.output.split('stays as it was').length;
    writeFileSync(files.cert, broken);
    await until('an error is logged', () => service.output.split('stays as it was').length > errors);
    expect(await shownName(port)).toBe('CN=second');
  }
  expect(service.output).toContain(`${files.cert} (NATS_GRPC_TLS_CERT) holds no PEM block`);
  expect(service.output).toContain(`${files.key} (NATS_GRPC_TLS_KEY) are no pair of certificate and key`);

  files.write(first);
  await until('the first certificate is shown again', async () => (await shownName(port)) === 'CN=first');
  expect(await lasting.call('Check', {})).toEqual({ status: 'SERVING' });
  expect(watch.isOpen()).toBe(true);
});

it('follows a change of the authority whose certificates clients must show', async () => {
  using dir = new TempDir('events-grpc-tls');
  const [ours, theirs] = ['ours', 'theirs'].map((name) => makeAuthority(dir.path, name));
  const server = makeCertificate(dir.path, 'server', ours!);
  const authority = join(dir.path, 'client-ca.pem');
  writeFileSync(authority, readFileSync(ours!.cert));
  const { service, grpcPort: port } = await startGrpc({
    NATS_GRPC_TLS_CERT: server.cert,
    NATS_GRPC_TLS_KEY: server.key,
    NATS_GRPC_TLS_CLIENT_CA: authority,
  });
  const ca = readFileSync(ours!.cert);
  const showing = ({ cert, key }: CertificateFiles) => ({
    credentials: credentials.createSsl(ca, readFileSync(key), readFileSync(cert)),
  });
  const [own, foreign] = [ours!, theirs!].map((signer, i) => showing(makeCertificate(dir.path, `client${i}`, signer)));
  const isServed = (options: object): Promise<boolean> =>
    GrpcClient.health(port, options)
      .call('Check', {}, 1_000)
      .then(
        () => true,
        () => false,
      );
  expect([await isServed(own!), await isServed(foreign!)]).toEqual([true, false]);
  const lasting = GrpcClient.health(port, own);
  await lasting.call('Check', {});

  writeFileSync(authority, readFileSync(theirs!.cert));
  await until('the other authority counts', () => isServed(foreign!));
  expect(await isServed(own!)).toBe(false);
  expect(await isServed({ credentials: credentials.createSsl(ca) })).toBe(false);
  expect(await lasting.call('Check', {})).toEqual({ status: 'SERVING' });

  writeFileSync(authority, 'no authority');
  await until('an error is logged', () => service.output.includes(`${authority} (NATS_GRPC_TLS_CLIENT_CA)`));
  expect(await isServed(foreign!)).toBe(true);
});

it('keeps what it has when given what a listener cannot use', () => {
  using dir = new TempDir('events-grpc-tls');
  const files = makeCertificate(dir.path, 'server', makeAuthority(dir.path, 'ca'));
  const [cert, key] = [readFileSync(files.cert, 'utf8'), readFileSync(files.key, 'utf8')];
  const tls = new TlsCredentials({ cert, key });
  const told: unknown[] = [];
  tls._addWatcher((context) => told.push(context));
  expect(() => tls.replace({ cert, key: cert })).toThrow();
  expect(told).toEqual([]);
  tls.replace({ cert, key });
  expect(told).toHaveLength(1);
});
