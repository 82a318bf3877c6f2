import { webcrypto, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ServiceLogger } from './logger.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Where certificate, key and client authority are. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty: none. */
  readonly caFile: string;
  /** What their settings begin with, for messages: `_CERT`, `_KEY` and `_CLIENT_CA` follow. */
  readonly settings: 'NATS_TLS' | 'NATS_GRPC_TLS';
}

/** Their contents, PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/**
 * Writes a self-signed pair where neither certificate nor key exists, as the original does (spec/ocis.md 1, TLS).
 *
 * @param host address the listener binds to; it becomes a subject alternative name beside localhost and 127.0.0.1
 */
export async function createMissingCertificate(files: TlsFiles, host: string, log: ServiceLogger): Promise<void> {
  const { certFile, keyFile, settings } = files;
  if (existsSync(certFile) || existsSync(keyFile)) return;
  const pair = await selfSigned(host);
  await write(certFile, pair.cert, 0o644, `${settings}_CERT`);
  log.info(`written certificate to ${certFile}`);
  await write(keyFile, pair.key, 0o600, `${settings}_KEY`);
  log.info(`written key to ${keyFile}`);
}

async function write(file: string, text: string, mode: number, setting: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode });
  } catch (cause) {
    throw new Error(`cannot write ${file} (${setting}): ${(cause as Error).message}`, { cause });
  }
}

/** Reads the files. Throws naming file and setting of what is missing or cannot be used. */
export async function readMaterial({ certFile, keyFile, caFile, settings }: TlsFiles): Promise<TlsMaterial> {
  const cert = await readPem(certFile, `${settings}_CERT`);
  const key = await readPem(keyFile, `${settings}_KEY`);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const what = `${certFile} (${settings}_CERT) and ${keyFile} (${settings}_KEY)`;
    throw new Error(`${what} are no pair of certificate and key: ${(cause as Error).message}`, { cause });
  }
  if (caFile === '') return { cert, key };
  return { cert, key, ca: await readAuthority(caFile, `${settings}_CLIENT_CA`) };
}

async function readAuthority(file: string, setting: string): Promise<string> {
  const ca = await readPem(file, setting);
  try {
    // A secure context takes anything for an authority, and then no client passes.
    new X509Certificate(ca);
  } catch (cause) {
    throw new Error(`${file} (${setting}) holds no certificate: ${(cause as Error).message}`, { cause });
  }
  return ca;
}

async function readPem(file: string, setting: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${file} (${setting}): ${(cause as Error).message}`, { cause });
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`${file} (${setting}) holds no PEM block`);
  return text;
}

async function selfSigned(host: string): Promise<{ cert: string; key: string }> {
  // Loaded only when a certificate has to be made; the library needs the polyfill to be there first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const names = new Map<string, 'dns' | 'ip'>([
    ['localhost', 'dns'],
    ['127.0.0.1', 'ip'],
  ]);
  if (host !== '' && host !== '0.0.0.0' && host !== '::') names.set(host, /^[\d.]+$|:/.test(host) ? 'ip' : 'dns');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'O=Acme Corp, CN=ownCloud',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + YEAR_MS),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys: keys as never,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...names].map(([value, type]) => ({ type, value }))),
    ],
  });
  const der = Buffer.from(
    await webcrypto.subtle.exportKey('pkcs8', (keys as { privateKey: webcrypto.CryptoKey }).privateKey),
  );
  const key = `-----BEGIN PRIVATE KEY-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { cert: `${certificate.toString('pem')}\n`, key };
}
