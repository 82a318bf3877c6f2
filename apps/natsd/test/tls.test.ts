import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { RawClient, TempDir, until } from '../../../tests/src/index.ts';
import { type CertificateFiles, makeAuthority, makeCertificate } from './support/certificates.ts';
import { run, start } from './support/program.ts';

interface Talk {
  readonly info: Record<string, unknown>;
  readonly said: string;
}

/** Reads INFO in the clear, upgrades, connects. Resolves with what the server says to a PING, or why it does not. */
async function talk(port: number, authority: CertificateFiles, own?: CertificateFiles): Promise<Talk> {
  await using plain = await RawClient.connect(port, { keepInfo: true });
  const info = JSON.parse((await plain.readUntil('\r\n')).slice('INFO '.length)) as Record<string, unknown>;
  plain.socket.removeAllListeners('data');
  const secure = connect({
    socket: plain.socket,
    servername: 'localhost',
    ca: readFileSync(authority.cert),
    ...(own && { cert: readFileSync(own.cert), key: readFileSync(own.key) }),
  });
  let said = '';
  let ended = false;
  secure.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  secure.on('error', () => {
    ended = true;
  });
  secure.on('close', () => {
    ended = true;
  });
  secure.on('secureConnect', () => secure.write('CONNECT {"verbose":false}\r\nPING\r\n'));
  await until('an answer', () => ended || said.includes('PONG'));
  secure.destroy();
  return { info, said };
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.runIf(hasOpenssl)('TLS by flags', () => {
  it('says so in a plain INFO, then speaks TLS only', async () => {
    using dir = new TempDir('tls');
    const authority = makeAuthority(dir.path, 'authority');
    const server = makeCertificate(dir.path, 'server', authority);
    await using natsd = await start('--tls', '--tlscert', server.cert, '--tlskey', server.key);
    expect(natsd.output).toContain('TLS required for client connections');
    const { info, said } = await talk(natsd.port, authority);
    expect(info).toMatchObject({ tls_required: true });
    expect(info).not.toHaveProperty('tls_verify');
    expect(said).toContain('PONG');
    await using plain = await RawClient.connect(natsd.port);
    plain.send('CONNECT {"verbose":false}\r\nPING\r\n');
    expect(await plain.untilClosed()).not.toContain('PONG');
  });

  it('lets in only clients whose certificate the authority signed', async () => {
    using dir = new TempDir('tls');
    const authority = makeAuthority(dir.path, 'authority');
    const server = makeCertificate(dir.path, 'server', authority);
    const stranger = makeCertificate(dir.path, 'stranger', makeAuthority(dir.path, 'other-authority'));
    const files = ['--tlscert', server.cert, '--tlskey', server.key, '--tlscacert', authority.cert];
    await using natsd = await start('--tlsverify', ...files);
    const known = await talk(natsd.port, authority, makeCertificate(dir.path, 'client', authority));
    expect(known.info).toMatchObject({ tls_required: true, tls_verify: true });
    expect(known.said).toContain('PONG');
    expect((await talk(natsd.port, authority, stranger)).said).not.toContain('PONG');
    expect((await talk(natsd.port, authority)).said).not.toContain('PONG');
    expect(natsd.output).toContain('TLS handshake error');
  });

  it('does not start with half of what it needs, or with a key that belongs to another certificate', () => {
    using dir = new TempDir('tls');
    const authority = makeAuthority(dir.path, 'authority');
    const server = makeCertificate(dir.path, 'server', authority);
    const half = run('-a', '127.0.0.1', '-p', '-1', '--tls', '--tlscert', server.cert);
    expect(half.status).toBe(1);
    expect(half.stderr).toContain('TLS Server private key must be present and valid');
    const wrong = run('-a', '127.0.0.1', '-p', '-1', '--tls', '--tlscert', server.cert, '--tlskey', authority.key);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/private key does not match public key/);
  });
});
