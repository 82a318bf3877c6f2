import type { CertificatePair, TlsConfig } from './server-config.ts';
import { checkCiphers, loadCa, loadCertificatePair, type ReadFile, TlsMaterialError } from './tls-material.ts';

/** The names of a certificate file and of its key's. */
export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A tls configuration whose files are not loaded yet. */
export interface TlsFields {
  certFile: string;
  keyFile: string;
  caFile: string;
  verify: boolean;
  /** 0: not given. */
  timeoutMs: number;
  /** OpenSSL names. */
  ciphers: string[] | null;
  minVersion: TlsConfig['minVersion'];
  handshakeFirst: boolean | number;
  /** Of `certs`; the file names above are empty then. */
  pairs: PairFiles[];
}

/** Nothing given. */
export const NO_TLS_FIELDS: Readonly<TlsFields> = {
  certFile: '',
  keyFile: '',
  caFile: '',
  verify: false,
  timeoutMs: 0,
  ciphers: null,
  minVersion: 'TLSv1.2',
  handshakeFirst: false,
  pairs: [],
};

/** Loads what the fields name. @throws TlsMaterialError in nats-server's words */
export function loadTls(fields: TlsFields, readFile: ReadFile): TlsConfig {
  const { certFile, keyFile, caFile, verify, timeoutMs, minVersion, handshakeFirst } = fields;
  if (certFile !== '' && keyFile === '') throw new TlsMaterialError("missing 'key_file' in TLS configuration");
  if (certFile === '' && keyFile !== '') throw new TlsMaterialError("missing 'cert_file' in TLS configuration");
  const ciphers = fields.ciphers?.join(':') ?? null;
  if (ciphers !== null) checkCiphers(ciphers);
  const pairs = certFile === '' ? fields.pairs : [{ certFile, keyFile }];
  const loaded = pairs.map((pair, i) => {
    const which = certFile === '' ? ` ${i + 1}/${pairs.length}` : '';
    return loadPair(pair, `error parsing X509 certificate/key pair${which}: `, readFile);
  });
  const ca = caFile === '' ? null : loadCa(caFile, readFile);
  return { certificate: loaded[0] ?? null, caFile, ca, verify, timeoutMs, ciphers, minVersion, handshakeFirst };
}

/** Loads what the flags --tlscert, --tlskey and --tlscacert name. @throws TlsMaterialError */
export function loadTlsOfFlags(fields: TlsFields, readFile: ReadFile): TlsConfig {
  if (fields.certFile === '') throw new TlsMaterialError('TLS Server certificate must be present and valid');
  if (fields.keyFile === '') throw new TlsMaterialError('TLS Server private key must be present and valid');
  return loadTls(fields, readFile);
}

function loadPair({ certFile, keyFile }: PairFiles, failed: string, readFile: ReadFile): CertificatePair {
  try {
    return loadCertificatePair(certFile, keyFile, readFile);
  } catch (cause) {
    throw cause instanceof TlsMaterialError ? new TlsMaterialError(failed + cause.message, { cause }) : cause;
  }
}
