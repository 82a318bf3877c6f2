import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fileErrorText } from '../go/file-error.ts';
import { goQuote } from '../go/quote.ts';
import type { CertificatePair } from './server-config.ts';

/** Reads a file; throws as node:fs does. */
export type ReadFile = (path: string) => Uint8Array;

/** A certificate, key or CA cannot be used; the message is nats-server's. */
export class TlsMaterialError extends Error {}

/**
 * Loads a certificate chain and its key and checks that they belong together.
 *
 * @throws TlsMaterialError in the words of Go's tls.X509KeyPair.
 */
export function loadCertificatePair(certFile: string, keyFile: string, readFile: ReadFile): CertificatePair {
  const cert = read(certFile, readFile);
  const key = read(keyFile, readFile);
  const publicKey = leafPublicKey(cert);
  const privateKey = parseKey(key);
  if (publicKey.asymmetricKeyType !== privateKey.asymmetricKeyType) {
    throw new TlsMaterialError('tls: private key type does not match public key type');
  }
  if (!new X509Certificate(firstBlock(cert, 'CERTIFICATE')!).checkPrivateKey(privateKey)) {
    throw new TlsMaterialError('tls: private key does not match public key');
  }
  return { certFile, keyFile, cert, key };
}

/** Loads the certificates of a CA file. @throws TlsMaterialError */
export function loadCa(caFile: string, readFile: ReadFile): Buffer {
  const ca = read(caFile, readFile);
  try {
    new X509Certificate(firstBlock(ca, 'CERTIFICATE') ?? '');
  } catch (cause) {
    throw new TlsMaterialError('failed to parse root ca certificate', { cause });
  }
  return ca;
}

/** Refuses a list of ciphers that this runtime's TLS library cannot serve. @throws TlsMaterialError */
export function checkCiphers(ciphers: string): void {
  try {
    createSecureContext({ ciphers });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TlsMaterialError(`the TLS library of this runtime refuses the cipher suites: ${reason}`, { cause });
  }
}

function read(path: string, readFile: ReadFile): Buffer {
  try {
    return Buffer.from(readFile(path));
  } catch (cause) {
    throw new TlsMaterialError(fileErrorText(path, cause), { cause });
  }
}

function leafPublicKey(cert: Buffer): KeyObject {
  const leaf = firstBlock(cert, 'CERTIFICATE');
  if (leaf === null) throw new TlsMaterialError(noCertificate(blockTypes(cert)));
  try {
    return new X509Certificate(leaf).publicKey;
  } catch (cause) {
    throw new TlsMaterialError('x509: malformed certificate', { cause });
  }
}

function noCertificate(skipped: readonly string[]): string {
  if (skipped.length === 0) return 'tls: failed to find any PEM data in certificate input';
  if (skipped.length === 1 && skipped[0]!.endsWith('PRIVATE KEY')) {
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  }
  const types = `[${skipped.join(' ')}]`;
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${types}`;
}

function parseKey(key: Buffer): KeyObject {
  const types = blockTypes(key);
  const type = types.find((name) => name.endsWith('PRIVATE KEY'));
  if (type === undefined) throw new TlsMaterialError(noKey(types));
  try {
    return createPrivateKey(firstBlock(key, type)!);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new TlsMaterialError(`tls: failed to parse private key${reason}`, { cause });
  }
}

function noKey(skipped: readonly string[]): string {
  if (skipped.length === 0) return 'tls: failed to find any PEM data in key input';
  if (skipped.length === 1 && skipped[0] === 'CERTIFICATE') {
    return 'tls: found a certificate rather than a key in the PEM for the private key';
  }
  const types = `[${skipped.join(' ')}]`;
  return `tls: failed to find PEM block with type ending in ${goQuote('PRIVATE KEY')} in key input after skipping PEM blocks of the following types: ${types}`;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

function blockTypes(pem: Buffer): string[] {
  return [...pem.toString('latin1').matchAll(PEM_BLOCK)].map((match) => match[1]!);
}

function firstBlock(pem: Buffer, type: string): string | null {
  for (const match of pem.toString('latin1').matchAll(PEM_BLOCK)) if (match[1] === type) return match[0];
  return null;
}
