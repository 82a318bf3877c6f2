import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, RawClient, TempDir } from '../../../tests/src/index.ts';
import { RunningService, run, serviceEnv } from './support/service.ts';
import { talk } from './support/tls-client.ts';

const TLS_ON = { OCIS_EVENTS_ENABLE_TLS: 'true' };
const NO_CLIENT_CERTIFICATES = { NATS_TLS_SKIP_VERIFY_CLIENT_CERT: 'true' };

it('makes itself a certificate that clients can check, once', async () => {
  using dir = new TempDir('events');
  const certFile = join(dir.path, 'nats/tls.crt');
  const keyFile = join(dir.path, 'nats/tls.key');
  const env = serviceEnv(dir.path, { ...TLS_ON, ...NO_CLIENT_CERTIFICATES, NATS_LOG_LEVEL: 'info' });
  let made: string;
  {
    await using service = await RunningService.start(env);
    expect(service.output).toContain(`written certificate to ${certFile}`);
    expect(service.output).toContain(`written key to ${keyFile}`);
    expect(statSync(certFile).mode & 0o777).toBe(0o644);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    made = readFileSync(certFile, 'utf8');
    const certificate = new X509Certificate(made);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.subject).toContain('O=Acme Corp');
    const { info, said } = await talk(service.port, { ca: made });
    expect(info).toMatchObject({ tls_required: true });
    expect(info).not.toHaveProperty('tls_verify');
    expect(said).toContain('PONG');
    // A client that stays plain is turned away.
    await using plain = await RawClient.connect(service.port);
    plain.send('CONNECT {"verbose":false}\r\nPING\r\n');
    expect(await plain.untilClosed()).not.toContain('PONG');
  }
  await using again = await RunningService.start(env);
  expect(again.output).not.toContain('written certificate');
  expect(readFileSync(certFile, 'utf8')).toBe(made);
  expect((await talk(again.port, { ca: made })).said).toContain('PONG');
});

it('asks clients for a certificate unless told to skip that', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path, TLS_ON));
  const { info, said } = await talk(service.port, { ca: readFileSync(join(dir.path, 'nats/tls.crt'), 'utf8') });
  expect(info).toMatchObject({ tls_required: true, tls_verify: true });
  expect(said).not.toContain('PONG');
});

it('takes certificate and key from where it is told, and OCIS_INSECURE as leave to skip', async () => {
  using dir = new TempDir('events');
  const cert = join(dir.path, 'own.crt');
  const key = join(dir.path, 'own.key');
  const env = serviceEnv(dir.path, { ...TLS_ON, OCIS_INSECURE: 'true', NATS_TLS_CERT: cert, NATS_TLS_KEY: key });
  {
    await using service = await RunningService.start(env);
    expect((await talk(service.port, { ca: readFileSync(cert, 'utf8') })).said).toContain('PONG');
  }
  const pem = readFileSync(key, 'utf8');
  rmSync(key);
  const missing = run(['server'], env);
  expect(missing.status).toBe(1);
  expect(missing.stderr).toContain(`cannot read ${key} (NATS_TLS_KEY)`);
  writeFileSync(key, '');
  const empty = run(['server'], env);
  expect(empty.status).toBe(1);
  expect(empty.stderr).toContain(`${key} (NATS_TLS_KEY) holds no PEM block`);
  writeFileSync(key, pem.replace(/\n[^-\n]+\n/, '\nAAAA\n'));
  const broken = run(['server'], env);
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('are no pair of certificate and key');
});

it.each(['127.0.0.1', '::1'])('tells its health with TLS on, on %s', async (host) => {
  using dir = new TempDir('events');
  const address = `${host === '::1' ? '[::1]' : host}:${await freePort()}`;
  const env = serviceEnv(dir.path, { ...TLS_ON, NATS_NATS_HOST: host, NATS_DEBUG_ADDR: address });
  await using _ = await RunningService.start(env);
  expect(run(['health'], env)).toMatchObject({ status: 0, stdout: 'healthy\n' });
});

it('names file and setting of a certificate that cannot be written', () => {
  using dir = new TempDir('events');
  writeFileSync(join(dir.path, 'file'), '');
  const cert = join(dir.path, 'file/tls.crt');
  const env = serviceEnv(dir.path, { ...TLS_ON, NATS_TLS_CERT: cert });
  const { status, stderr } = run(['server'], env);
  expect(status).toBe(1);
  expect(stderr).toContain(`cannot write ${cert} (NATS_TLS_CERT): `);
});
