import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ServiceLogger } from './logger.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** What is written when neither certificate nor key exists. */
export interface CertificateRequest {
  readonly certFile: string;
  readonly keyFile: string;
  /** Address the listener binds to; it becomes a subject alternative name beside localhost and 127.0.0.1. */
  readonly host: string;
  readonly log: ServiceLogger;
}

/**
 * Reads certificate and key; writes a self-signed pair first where both are absent, as the original does (spec/ocis.md 1,
 * TLS). If only one of them exists, reading the other fails with its name.
 */
export async function loadOrCreateCertificate(request: CertificateRequest): Promise<{ cert: string; key: string }> {
  const { certFile, keyFile, log } = request;
  if (!existsSync(certFile) && !existsSync(keyFile)) {
    const pair = await selfSigned(request.host);
    await mkdir(dirname(certFile), { recursive: true, mode: 0o700 });
    await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 });
    await writeFile(certFile, pair.cert, { mode: 0o644 });
    log.info(`written certificate to ${certFile}`);
    await writeFile(keyFile, pair.key, { mode: 0o600 });
    log.info(`written key to ${keyFile}`);
    return pair;
  }
  const pair = { cert: await readPem(certFile, 'NATS_TLS_CERT'), key: await readPem(keyFile, 'NATS_TLS_KEY') };
  try {
    createSecureContext(pair);
  } catch (cause) {
    const what = `${certFile} (NATS_TLS_CERT) and ${keyFile} (NATS_TLS_KEY)`;
    throw new Error(`${what} are no pair of certificate and key: ${(cause as Error).message}`, { cause });
  }
  return pair;
}

/** Reads a PEM file. Throws naming file and setting where there is none. */
export async function readPem(file: string, setting: string): Promise<string> {
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
