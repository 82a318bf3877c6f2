import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { CLOSE_REASONS } from '@nats-ts/protocol';
import { OptionsError } from '../options-error.ts';
import { TLS_TIMEOUT_MS, type TlsMaterial, type TlsOptions } from '../tls-options.ts';
import type { Connection } from './connection.ts';

interface Handshake {
  readonly connection: Connection;
  readonly onSecure: (socket: TLSSocket) => void;
}

/** First byte of a TLS record with a handshake message. */
const TLS_HANDSHAKE = 0x16;

/** Turns accepted connections into TLS ones (spec/core.md 10.2). Bounded by the number of connections. */
export class TlsGate {
  readonly #server: Server;
  /** Handshakes that are going on, by the address of the peer: the TLS server tells the outcome by socket only. */
  readonly #handshakes = new Map<string, Handshake>();

  readonly #options: TlsOptions;

  /** @throws OptionsError for a certificate or key that cannot be read. */
  constructor(options: TlsOptions) {
    const verifies = options.verify ?? false;
    this.#options = options;
    this.#server = readable(() =>
      createServer({
        ...secureContext(options, options),
        requestCert: verifies,
        rejectUnauthorized: verifies,
        handshakeTimeout: options.timeoutMs ?? TLS_TIMEOUT_MS,
        allowHalfOpen: true,
      }),
    );
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
  }

  /**
   * Handshakes that begin from now on use this certificate, key and authority; sessions of the old ones are not resumed.
   * @throws OptionsError for a certificate or key that cannot be read; the old ones stay then.
   */
  replace(material: TlsMaterial): void {
    readable(() => this.#server.setSecureContext(secureContext(this.#options, material)));
  }

  /** Begins the handshake; `onSecure` is called when it is through, the connection is closed when it fails. */
  upgrade(connection: Connection, raw: Socket, onSecure: (socket: TLSSocket) => void): void {
    const key = addressOf(raw);
    connection.log.debug('Starting TLS client connection handshake');
    this.#handshakes.set(key, { connection, onSecure });
    raw.on('close', () => this.#handshakes.delete(key));
    this.#server.emit('connection', raw);
  }

  isHandshaking(connection: Connection): boolean {
    return this.#handshakes.get(`${connection.rawIp} ${connection.port}`)?.connection === connection;
  }

  #secured(socket: TLSSocket): void {
    const key = addressOf(socket);
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined || handshake.connection.isClosed) {
      socket.destroy();
      return;
    }
    this.#handshakes.delete(key);
    const { connection } = handshake;
    connection.log.debug('TLS handshake complete');
    connection.log.debug(`TLS version ${tlsVersion(socket)}, cipher suite ${socket.getCipher().standardName}`);
    handshake.onSecure(socket);
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const key = addressOf(socket);
    const handshake = this.#handshakes.get(key);
    socket.on('error', () => {});
    if (handshake === undefined) return;
    this.#handshakes.delete(key);
    const { connection } = handshake;
    const { text, isProbe } = describe(error);
    if (isProbe) connection.log.debug(`TLS handshake error: ${text}`);
    else connection.log.error(`TLS handshake error: ${text}`);
    connection.close(CLOSE_REASONS.tlsHandshake);
  }
}

function secureContext(options: TlsOptions, { cert, key, ca }: TlsMaterial): SecureContextOptions {
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
    minVersion: options.minVersion ?? 'TLSv1.2',
  };
}

function readable<T>(load: () => T): T {
  try {
    return load();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new OptionsError(`error parsing X509 certificate/key pair: ${text}`, { cause });
  }
}

/** Looks at the first byte without taking it; `then` is called with whether it begins a TLS handshake. */
export function peek(raw: Socket, then: (isTls: boolean) => void): void {
  raw.once('data', (chunk: Buffer) => {
    raw.pause();
    raw.unshift(chunk);
    then(chunk[0] === TLS_HANDSHAKE);
  });
  raw.resume();
}

/** As Go names it: `1.2`, `1.3`. */
export function tlsVersion(socket: TLSSocket): string {
  return (socket.getProtocol() ?? '').replace('TLSv', '');
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** Probes (no TLS at all, or nothing) are not worth an error line. */
function describe(error: NodeJS.ErrnoException): { text: string; isProbe: boolean } {
  switch (error.code) {
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return { text: 'i/o timeout', isProbe: true };
    case 'ECONNRESET':
      return { text: 'EOF', isProbe: true };
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    // OpenSSL takes `CONNECT ` for a request to a proxy.
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_UNEXPECTED_MESSAGE':
      return { text: 'tls: first record does not look like a TLS handshake', isProbe: true };
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return { text: "tls: client didn't provide a certificate", isProbe: false };
    default:
      return { text: error.message, isProbe: false };
  }
}
