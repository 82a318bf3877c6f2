import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TempDir, until } from '../../../tests/src/index.ts';
import { type CertificateFiles, makeAuthority, makeCertificate } from '../../natsd/test/support/certificates.ts';
import { TLS_POLL_INTERVAL_MS } from '../src/certificate-watch.ts';
import { createEventsService } from '../src/index.ts';
import { ManualClock } from './support/manual-clock.ts';
import { RunningService, serviceEnv } from './support/service.ts';
import { talk } from './support/tls-client.ts';

const read = (files: CertificateFiles): { cert: string; key: string } => ({
  cert: readFileSync(files.cert, 'utf8'),
  key: readFileSync(files.key, 'utf8'),
});

/** The name of the certificate that a client is shown. */
async function shownName(port: number): Promise<string> {
  return (await talk(port, { rejectUnauthorized: false })).subject;
}

const reloading = (dir: TempDir, files: CertificateFiles, more: Record<string, string> = {}): Record<string, string> =>
  serviceEnv(dir.path, {
    OCIS_EVENTS_ENABLE_TLS: 'true',
    NATS_TLS_CERT: files.cert,
    NATS_TLS_KEY: files.key,
    ...(more['NATS_TLS_CLIENT_CA'] === undefined ? { NATS_TLS_SKIP_VERIFY_CLIENT_CERT: 'true' } : {}),
    ...more,
  });

it('shows new connections a certificate that was written over, and keeps it when what follows cannot be used', async () => {
  using dir = new TempDir('events');
  const authority = makeAuthority(dir.path, 'ca');
  const [first, second] = ['first', 'second'].map((name) => read(makeCertificate(dir.path, name, authority)));
  const files = { cert: join(dir.path, 'tls.crt'), key: join(dir.path, 'tls.key') };
  const write = ({ cert, key }: { cert: string; key: string }): void => {
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
  };
  write(first!);
  await using service = await RunningService.start(reloading(dir, files));
  expect(await shownName(service.port)).toBe('CN=first');
  write(second!);
  await until('the second certificate is shown', async () => (await shownName(service.port)) === 'CN=second');
  expect(service.output).toContain('took the certificate in');
  for (const broken of ['no certificate at all', first!.cert]) {
    const errors = service.output.split('stays as it was').length;
    writeFileSync(files.cert, broken);
    await until('an error is logged', () => service.output.split('stays as it was').length > errors);
    expect(await shownName(service.port)).toBe('CN=second');
  }
  expect(service.output).toContain(`${files.cert} (NATS_TLS_CERT) holds no PEM block`);
  expect(service.output).toContain('are no pair of certificate and key');
  write(first!);
  await until('the first certificate is shown again', async () => (await shownName(service.port)) === 'CN=first');
});

it('follows the swapped links of a Kubernetes secret', async () => {
  using dir = new TempDir('events');
  const authority = makeAuthority(dir.path, 'ca');
  const mount = join(dir.path, 'secret');
  const fill = (version: string, name: string): void => {
    mkdirSync(join(mount, version), { recursive: true });
    const { cert, key } = read(makeCertificate(dir.path, name, authority));
    writeFileSync(join(mount, version, 'tls.crt'), cert);
    writeFileSync(join(mount, version, 'tls.key'), key);
  };
  fill('..v1', 'first');
  symlinkSync('..v1', join(mount, '..data'));
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(mount, file));
  const files = { cert: join(mount, 'tls.crt'), key: join(mount, 'tls.key') };
  await using service = await RunningService.start(reloading(dir, files));
  expect(await shownName(service.port)).toBe('CN=first');
  fill('..v2', 'second');
  symlinkSync('..v2', join(mount, '..data_tmp'));
  renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  await until('the second certificate is shown', async () => (await shownName(service.port)) === 'CN=second');
});

it('looks at the files from time to time where the system does not tell of changes', async () => {
  using dir = new TempDir('events');
  const authority = makeAuthority(dir.path, 'ca');
  const [first, second] = ['first', 'second'].map((name) => makeCertificate(dir.path, name, authority));
  const [linked, real] = [join(dir.path, 'linked'), join(dir.path, 'real')];
  for (const folder of [linked, real]) mkdirSync(folder);
  for (const [name, file] of Object.entries(first!)) {
    writeFileSync(join(real, name), readFileSync(file));
    symlinkSync(join(real, name), join(linked, name));
  }
  const clock = new ManualClock();
  await using service = await createEventsService({
    nats: {
      port: -1,
      storeDir: dir.path,
      enableTls: true,
      tlsCert: join(linked, 'cert'),
      tlsKey: join(linked, 'key'),
      tlsSkipVerifyClientCert: true,
    },
    debug: { addr: '' },
    log: { file: join(dir.path, 'log') },
    clock,
  });
  // The directory of the links does not change.
  for (const [name, file] of Object.entries(second!)) writeFileSync(join(real, name), readFileSync(file));
  expect(await shownName(service.port)).toBe('CN=first');
  clock.advance(TLS_POLL_INTERVAL_MS);
  await until('the second certificate is shown', async () => (await shownName(service.port)) === 'CN=second');
});

it('takes clients whose certificate the given authority has signed, and follows a change of the authority', async () => {
  using dir = new TempDir('events');
  const [ours, theirs] = ['ours', 'theirs'].map((name) => makeAuthority(dir.path, name));
  const server = makeCertificate(dir.path, 'server', ours!);
  const client = read(makeCertificate(dir.path, 'client', ours!));
  const stranger = read(makeCertificate(dir.path, 'stranger', theirs!));
  const caFile = join(dir.path, 'client-ca.pem');
  writeFileSync(caFile, readFileSync(ours!.cert));
  await using service = await RunningService.start(reloading(dir, server, { NATS_TLS_CLIENT_CA: caFile }));
  const ca = readFileSync(ours!.cert, 'utf8');
  const answer = async (shown: object): Promise<string> => (await talk(service.port, { ca, ...shown })).said;
  expect(await answer(client)).toContain('PONG');
  expect(await answer(stranger)).not.toContain('PONG');
  expect(await answer({})).not.toContain('PONG');
  expect((await talk(service.port, { ca, ...client })).info).toMatchObject({ tls_required: true, tls_verify: true });
  writeFileSync(caFile, readFileSync(theirs!.cert));
  await until('the other authority counts', async () => (await answer(stranger)).includes('PONG'));
  expect(await answer(client)).not.toContain('PONG');
});

it('refuses an authority that is none', async () => {
  using dir = new TempDir('events');
  const files = makeCertificate(dir.path, 'server', makeAuthority(dir.path, 'ca'));
  const start = (tlsClientCa: string): Promise<unknown> =>
    createEventsService({
      nats: { port: -1, storeDir: dir.path, enableTls: true, tlsCert: files.cert, tlsKey: files.key, tlsClientCa },
      debug: { addr: '' },
      log: { file: join(dir.path, 'log') },
    });
  await expect(start(files.key)).rejects.toThrow(`${files.key} (NATS_TLS_CLIENT_CA) holds no certificate`);
  await expect(start('/nowhere')).rejects.toThrow('cannot read /nowhere (NATS_TLS_CLIENT_CA)');
});

it.each(['127.0.0.3', 'localhost', '::1'])('makes a certificate that names its host %s', async (host) => {
  using dir = new TempDir('events');
  const log = { file: join(dir.path, 'log') };
  const nats = { port: -1, storeDir: dir.path, host, enableTls: true, tlsSkipVerifyClientCert: true };
  const tls = { tlsCert: join(dir.path, 'tls.crt'), tlsKey: join(dir.path, 'tls.key') };
  await using _ = await createEventsService({ nats: { ...nats, ...tls }, debug: { addr: '' }, log });
  const certificate = new X509Certificate(readFileSync(tls.tlsCert));
  if (host === 'localhost') expect(certificate.checkHost(host)).toBe(host);
  else expect(certificate.checkIP(host)).toBe(host);
});
