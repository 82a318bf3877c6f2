/** A cipher suite: the OpenSSL name (null where OpenSSL 3 has none), and whether Go counts it as insecure. */
export interface CipherSuite {
  readonly openssl: string | null;
  readonly insecure: boolean;
}

const secure = (openssl: string): CipherSuite => ({ openssl, insecure: false });
const insecure = (openssl: string | null): CipherSuite => ({ openssl, insecure: true });

/** The names nats-server takes in `cipher_suites`. */
export const CIPHER_SUITES: ReadonlyMap<string, CipherSuite> = new Map([
  ['TLS_AES_128_GCM_SHA256', secure('TLS_AES_128_GCM_SHA256')],
  ['TLS_AES_256_GCM_SHA384', secure('TLS_AES_256_GCM_SHA384')],
  ['TLS_CHACHA20_POLY1305_SHA256', secure('TLS_CHACHA20_POLY1305_SHA256')],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', secure('ECDHE-ECDSA-AES128-SHA')],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', secure('ECDHE-ECDSA-AES128-GCM-SHA256')],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', secure('ECDHE-ECDSA-AES256-SHA')],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', secure('ECDHE-ECDSA-AES256-GCM-SHA384')],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', secure('ECDHE-ECDSA-CHACHA20-POLY1305')],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', secure('ECDHE-RSA-AES128-SHA')],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', secure('ECDHE-RSA-AES128-GCM-SHA256')],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', secure('ECDHE-RSA-AES256-SHA')],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', secure('ECDHE-RSA-AES256-GCM-SHA384')],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', secure('ECDHE-RSA-CHACHA20-POLY1305')],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', insecure('ECDHE-ECDSA-AES128-SHA256')],
  ['TLS_ECDHE_ECDSA_WITH_RC4_128_SHA', insecure(null)],
  ['TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', insecure(null)],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', insecure('ECDHE-RSA-AES128-SHA256')],
  ['TLS_ECDHE_RSA_WITH_RC4_128_SHA', insecure(null)],
  ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', insecure(null)],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', insecure('AES128-SHA')],
  ['TLS_RSA_WITH_AES_128_CBC_SHA256', insecure('AES128-SHA256')],
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', insecure('AES128-GCM-SHA256')],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', insecure('AES256-SHA')],
  ['TLS_RSA_WITH_AES_256_GCM_SHA384', insecure('AES256-GCM-SHA384')],
  ['TLS_RSA_WITH_RC4_128_SHA', insecure(null)],
]);

/** The names nats-server takes in `curve_preferences`. */
export const CURVES: ReadonlySet<string> = new Set([
  'CurveP256',
  'CurveP384',
  'CurveP521',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'X25519',
  'X25519MLKEM768',
]);

/** The names of `min_version` and what node:tls calls them; null: known and refused. */
export const TLS_VERSIONS: ReadonlyMap<string, 'TLSv1.2' | 'TLSv1.3' | null> = new Map([
  ['1.0', null],
  ['1.1', null],
  ['1.2', 'TLSv1.2'],
  ['1.3', 'TLSv1.3'],
]);
