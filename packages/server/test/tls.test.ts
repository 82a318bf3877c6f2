import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type NatsServer, OptionsError, type ServerOptions } from '../src/index.ts';
import { ManualClock, RawClient, startServer, type TestLogger, until } from './support.ts';

const pem = (name: string): string => readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');
const tls = { cert: pem('server'), key: pem('server-key') };
const verifying = { ...tls, ca: pem('ca'), verify: true };

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions, clock?: ManualClock): Promise<void> {
  ({ server, port, logger } = await startServer({ debug: true, monitor: { port: -1 }, ...options }, clock));
}

afterEach(async () => {
  await server?.shutdown();
});

/** Goes on over TLS on the socket of `client`. */
function upgrade(client: RawClient, options: object = {}): Promise<TLSSocket> {
  client.socket.removeAllListeners('data');
  return new Promise((resolve, reject) => {
    const secured = connectTls({ socket: client.socket, ca: pem('ca'), servername: 'localhost', ...options }, () =>
      resolve(secured),
    );
    secured.on('error', reject);
    client.attach(secured);
  });
}

/** A raw client that does TLS behind INFO. */
async function secure(options: object = {}): Promise<{ client: RawClient; secured: TLSSocket }> {
  const client = new RawClient(port);
  await client.info();
  return { client, secured: await upgrade(client, options) };
}

async function exchange(client: RawClient, secured: TLSSocket): Promise<string> {
  secured.write('CONNECT {"verbose":false,"pedantic":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n');
  return client.take('PONG\r\n');
}

describe('a TLS listener', () => {
  it('sends INFO in clear and goes on encrypted', async () => {
    await start({ tls });
    const client = new RawClient(port);
    expect(await client.info()).toMatchObject({ tls_required: true });
    const secured = await upgrade(client);
    expect(await exchange(client, secured)).toBe('MSG a 1 1\r\nx\r\nPONG\r\n');
    const response = await fetch(`http://127.0.0.1:${server.monitorPort}/connz`);
    expect(await response.json()).toMatchObject({
      connections: [{ tls_version: '1.3', tls_cipher_suite: expect.stringMatching(/^TLS_[A-Z0-9_]+$/) }],
    });
    expect(logger.lines.some((line) => line === 'INF TLS required for client connections')).toBe(true);
    expect(logger.lines.some((line) => /TLS version 1\.3, cipher suite TLS_/.test(line))).toBe(true);
  });

  it('carries a lot of data both ways', async () => {
    await start({ tls });
    const { client, secured } = await secure();
    await exchange(client, secured);
    const payload = 'z'.repeat(1_000_000);
    for (let i = 0; i < 8; i++) secured.write(`PUB a 1000000\r\n${payload}\r\n`);
    for (let i = 0; i < 8; i++) {
      expect((await client.take(`MSG a 1 1000000\r\n${payload}\r\n`)).length).toBe(1_000_020 - 1);
    }
  });

  it('closes a client that talks in clear, without a word', async () => {
    await start({ tls });
    const client = new RawClient(port);
    await client.info();
    client.send('CONNECT {}\r\nPING\r\n');
    expect(await client.closed()).not.toContain('ERR');
    await until(() => logger.lines.some((line) => line.includes('TLS Handshake Failure')), 'the close');
    expect(
      logger.lines.some((line) => /^DBG .*TLS handshake error: tls: first record does not look like/.test(line)),
    ).toBe(true);
  });

  it('closes a client that does not finish its handshake in time, and one that goes away in the middle', async () => {
    await start({ tls: { ...tls, timeoutMs: 200 } });
    const silent = new RawClient(port);
    await silent.info();
    const half = new RawClient(port);
    await half.info();
    half.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]));
    half.close();
    await silent.closed();
    await until(() => server.connectionCount === 0, 'both to be gone');
    const { client, secured } = await secure();
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
  });

  it('asks for a certificate that its CA signed, when it verifies', async () => {
    await start({ tls: verifying });
    const client = new RawClient(port);
    expect(await client.info()).toMatchObject({ tls_required: true, tls_verify: true });
    const secured = await upgrade(client, { cert: pem('client'), key: pem('client-key') });
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
    const anonymous = new RawClient(port);
    await anonymous.info();
    await upgrade(anonymous).catch(() => {});
    await until(() => logger.lines.some((line) => line.includes("client didn't provide a certificate")), 'the refusal');
    expect(logger.lines.some((line) => /^ERR .*TLS handshake error: tls: client didn't/.test(line))).toBe(true);
    await until(() => server.connectionCount === 1, 'the close');
  });

  it('takes plain clients too with allow_non_tls', async () => {
    await start({ tls, allowNonTls: true });
    const plain = new RawClient(port);
    expect(await plain.info()).toMatchObject({ tls_available: true });
    plain.send('CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await plain.flush()).toBe('MSG a 1 1\r\nx\r\n');
    const { client, secured } = await secure();
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
  });

  it('does the handshake before INFO when told to', async () => {
    await start({ tls: { ...tls, handshakeFirst: true } });
    const client = new RawClient(port);
    const secured = await upgrade(client);
    expect(await client.info()).toMatchObject({ tls_required: true });
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
    const response = await fetch(`http://127.0.0.1:${server.monitorPort}/connz`);
    expect(await response.json()).toMatchObject({ connections: [{ tls_first: true }] });
  });

  it('does either when it waits a moment for the client to begin', async () => {
    await start({ tls: { ...tls, handshakeFirst: 60 } });
    const eager = new RawClient(port);
    const first = await upgrade(eager);
    await eager.info();
    expect(await exchange(eager, first)).toContain('MSG a 1 1');
    const { client, secured } = await secure();
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
  });

  it('gives a client its time for CONNECT from the end of the handshake on', async () => {
    const clock = new ManualClock();
    await start({ tls, authorization: { token: 't' } }, clock);
    const client = new RawClient(port);
    await client.info();
    clock.advance(10_000);
    const secured = await upgrade(client);
    await until(() => clock.timerCount > 0, 'the timer');
    clock.advance(2_900);
    expect(client.isClosed).toBe(false);
    clock.advance(200);
    expect(await client.closed()).toBe("-ERR 'Authentication Timeout'\r\n");
    secured.destroy();
  });

  it('gives new connections another certificate when it is replaced, and leaves the others alone', async () => {
    await start({ tls, monitor: { port: -1, secure: true } });
    const { client, secured } = await secure();
    const before = secured.getPeerX509Certificate()?.fingerprint256;
    // A certificate of the same authority, with another name.
    server.replaceTls({ cert: pem('client'), key: pem('client-key') });
    const other = await secure({ checkServerIdentity: () => undefined });
    const after = other.secured.getPeerX509Certificate();
    expect(after?.fingerprint256).not.toBe(before);
    expect(after?.subject).toBe(new X509Certificate(pem('client')).subject);
    expect(await exchange(other.client, other.secured)).toContain('MSG a 1 1');
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
    const shown = await new Promise((resolve, reject) => {
      const monitor = connectTls({ port: server.monitorPort, rejectUnauthorized: false }, () => {
        resolve(monitor.getPeerX509Certificate()?.subject);
        monitor.destroy();
      }).on('error', reject);
    });
    expect(shown).toBe(new X509Certificate(pem('client')).subject);
  });

  it('holds clients against another authority when that is replaced', async () => {
    await start({ tls: { ...tls, ca: pem('server'), verify: true } });
    const mine = { cert: pem('client'), key: pem('client-key'), maxVersion: 'TLSv1.2' };
    await expect(secure(mine)).rejects.toThrow();
    server.replaceTls({ ...tls, ca: pem('ca') });
    const { client, secured } = await secure(mine);
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
  });

  it('keeps what it has when the replacement cannot be read, or when there is nothing to replace', async () => {
    await start({ tls });
    expect(() => server.replaceTls({ cert: 'x', key: 'y' })).toThrowError(OptionsError);
    expect(() => server.replaceTls({ cert: pem('server'), key: pem('client-key') })).toThrowError(OptionsError);
    const { client, secured } = await secure();
    expect(await exchange(client, secured)).toContain('MSG a 1 1');
    await server.shutdown();
    await start({});
    expect(() => server.replaceTls(tls)).toThrowError('no TLS');
  });

  it('is refused with a certificate or key that cannot be read', async () => {
    await expect(startServer({ tls: { cert: 'x', key: 'y' } })).rejects.toThrowError(OptionsError);
    await expect(startServer({ monitor: { port: -1, secure: true } })).rejects.toThrowError(
      'TLS cert and key required for HTTPS',
    );
  });
});
