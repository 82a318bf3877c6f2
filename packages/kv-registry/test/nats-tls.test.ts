import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeAuthority, makeCertificate } from '../../../apps/natsd/test/support/certificates.ts';
import { natsd, TempDir } from '../../../tests/src/index.ts';
import { connectRegistry, type NatsTls } from '../src/nats/index.ts';
import { NAME, service } from './support/services.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.runIf(hasOpenssl)('the registry over TLS', () => {
  it('trusts the given authority, shows its certificate, and takes anything only when told to', async () => {
    using dir = new TempDir('registry-tls');
    const authority = makeAuthority(dir.path, 'authority');
    const stranger = makeAuthority(dir.path, 'stranger');
    const server = makeCertificate(dir.path, 'server', authority);
    const client = makeCertificate(dir.path, 'client', authority);
    const read = (file: string): string => readFileSync(file, 'utf8');
    const flags = ['--tlsverify', '--tlscert', server.cert, '--tlskey', server.key, '--tlscacert', authority.cert];
    await using running = await natsd.start({ args: ['-js', '-sd', dir.path, ...flags] });
    const servers = [`localhost:${running.port}`];
    const own = { cert: read(client.cert), key: read(client.key) };
    for (const tls of [
      { ...own, ca: read(authority.cert) },
      { ...own, skipVerify: true },
    ] satisfies NatsTls[]) {
      const registry = await connectRegistry({ servers, tls });
      await registry.register(service('ours'));
      expect(await registry.getService(NAME)).toHaveLength(1);
      await registry.close();
    }
    for (const tls of [own, { ...own, ca: read(stranger.cert) }, { ca: read(authority.cert) }] satisfies NatsTls[])
      await expect(connectRegistry({ servers, tls })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses a server without TLS when TLS was asked for', async () => {
    using dir = new TempDir('registry-tls');
    await using running = await natsd.start({ args: ['-js', '-sd', dir.path] });
    const connecting = connectRegistry({ servers: [`localhost:${running.port}`], tls: {} });
    await expect(connecting).rejects.toThrow(/does not support 'tls'/);
  });
});
