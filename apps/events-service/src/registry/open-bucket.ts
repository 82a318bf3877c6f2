import { readFile } from 'node:fs/promises';
import type { EventsConfig } from '@nats-ts/config';
import { JetStreamBucket, type KeyValueBucket, MemoryBucket } from '@nats-ts/kv-registry';
import type { NatsTls } from '@nats-ts/kv-registry/nats';
import type { EmbeddedServer } from '@nats-ts/natsd';
import { HostLink } from './host-link.ts';
import { isOwnAddress } from './own-address.ts';

/** Where the registry is: this process's memory, the server in this process, or another server. */
export type RegistryPlace = 'memory' | 'own' | 'remote';

/** A bucket, where it is, and how to let go of it. */
export interface OpenBucket {
  readonly place: RegistryPlace;
  readonly bucket: KeyValueBucket;
  close(): Promise<void>;
}

/** Who is told what goes wrong. All of it is tried again. */
export interface BucketWarnings {
  /** The server cannot be reached. */
  readonly onLost: (error: unknown) => void;
  /** A watch had to begin anew. */
  readonly onWarning: (error: unknown) => void;
}

/** The account that every client is in, and therefore the registry. */
const ACCOUNT = '$G';

/**
 * Opens the bucket that the configuration names, without waiting for any server.
 *
 * @throws Error that names setting and file when a certificate cannot be read
 */
export async function openBucket(
  config: EventsConfig,
  embedded: EmbeddedServer,
  warnings: BucketWarnings,
): Promise<OpenBucket> {
  const { registry, nats } = config;
  const ttlMs = registry.registerTtlMs;
  if (registry.kind === 'memory') {
    return { place: 'memory', bucket: new MemoryBucket({ ttlMs }), close: async () => {} };
  }
  const own = { host: nats.host, port: embedded.port };
  if (registry.addresses.length === 0 || registry.addresses.some((address) => isOwnAddress(address, own))) {
    const account = embedded.server.host.account(ACCOUNT);
    if (account === null) throw new Error(`registry: the server has no account ${ACCOUNT}`);
    const bucket = new JetStreamBucket({
      link: new HostLink(account, embedded.server.host.serverName),
      ttlMs,
      onError: warnings.onWarning,
    });
    return { place: 'own', bucket, close: () => bucket.close() };
  }
  const { authUsername: user, authPassword: pass, enableTls } = registry;
  const tls = enableTls ? { tls: await readTls(registry) } : {};
  // Loaded only where there is another server.
  const { NatsBucket } = await import('@nats-ts/kv-registry/nats');
  const login = user === '' ? {} : { user, pass };
  const bucket = NatsBucket.start({ servers: registry.addresses, ttlMs, onError: warnings.onLost, ...login, ...tls });
  return { place: 'remote', bucket, close: () => bucket.close() };
}

async function readTls(registry: EventsConfig['registry']): Promise<NatsTls> {
  const { tlsRootCaCertificate: ca, tlsCert: cert, tlsKey: key, tlsInsecure } = registry;
  return {
    ...(ca === '' ? {} : { ca: await readPem(ca, 'NATS_REGISTRY_TLS_ROOT_CA_CERTIFICATE') }),
    ...(cert === '' ? {} : { cert: await readPem(cert, 'NATS_REGISTRY_TLS_CERT') }),
    ...(key === '' ? {} : { key: await readPem(key, 'NATS_REGISTRY_TLS_KEY') }),
    // As in oCIS: an authority that is given is there to be asked.
    ...(tlsInsecure && ca === '' ? { skipVerify: true } : {}),
  };
}

async function readPem(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${file} (${setting}): ${(cause as Error).message}`, { cause });
  }
}
