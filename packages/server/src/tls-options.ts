/** TLS for the client listener (spec/core.md 10.2). File contents, not names: reading files is the app's work. */
export interface TlsOptions {
  /** Certificate chain, PEM. */
  readonly cert: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Certificates that sign client certificates, PEM. Equivalent to ca_file. */
  readonly ca?: string;
  /** Clients must show a certificate signed by `ca`. Equivalent to verify. */
  readonly verify?: boolean;
  /** Milliseconds for the handshake, default 2 s. Equivalent to tls timeout. */
  readonly timeoutMs?: number;
  /** Default `TLSv1.2`. Equivalent to min_version. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list. Equivalent to cipher_suites. */
  readonly ciphers?: string;
  /**
   * TLS before INFO: `true` = always, a number = milliseconds to wait for a ClientHello before INFO is sent in clear.
   * Equivalent to handshake_first (`auto` is 50). Default false.
   */
  readonly handshakeFirst?: boolean | number;
}

/** What may change while a server runs, as in `TlsOptions`: all of it at once, an absent `ca` included. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

/** Default of `TlsOptions.timeoutMs`. */
export const TLS_TIMEOUT_MS = 2000;
