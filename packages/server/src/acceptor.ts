import type { Socket } from 'node:net';
import { CLOSE_REASONS, WIRE_ERRORS } from '@nats-ts/protocol';
import { Connection } from './connection/connection.ts';
import type { ConnectionContext } from './connection/context.ts';
import { SharedReader } from './connection/shared-reader.ts';
import { attach } from './connection/socket-events.ts';
import { peek, TlsGate } from './connection/tls-gate.ts';
import type { ConnectionRegistry } from './connection-registry.ts';
import { OptionsError } from './options-error.ts';
import { TLS_TIMEOUT_MS, type TlsMaterial } from './tls-options.ts';

/** Milliseconds for CONNECT unless configured, as nats-server. */
const AUTH_TIMEOUT_MS = 2000;

/** What happens to an accepted socket until its client can talk: limit, INFO, TLS (spec/core.md 1.1, 10.2). */
export class Acceptor {
  readonly #context: ConnectionContext;
  readonly #registry: ConnectionRegistry;
  readonly #tls: TlsGate | null;
  readonly #reader: SharedReader;
  /** Milliseconds a client gets for its CONNECT. */
  readonly authTimeoutMs: number;

  constructor(context: ConnectionContext, registry: ConnectionRegistry) {
    const { authorization, tls } = context.settings;
    this.#context = context;
    this.#registry = registry;
    this.#reader = new SharedReader(context.slabs.arena);
    this.#tls = tls === null ? null : new TlsGate(tls);
    this.authTimeoutMs =
      authorization?.timeoutMs ?? (tls === null ? AUTH_TIMEOUT_MS : (tls.timeoutMs ?? TLS_TIMEOUT_MS) + 1000);
  }

  /** @throws OptionsError where there is no TLS, or a certificate or key that cannot be read. */
  replaceTls(material: TlsMaterial): void {
    if (this.#tls === null) throw new OptionsError('the listener has no TLS whose certificate could be replaced');
    this.#tls.replace(material);
  }

  accept(socket: Socket): void {
    const { settings } = this.#context;
    const isFull = this.#registry.open.size >= settings.maxConnections;
    if (this.#tls === null)
      socket = this.#reader.adopt(socket, (chunk, origin) => connection.intake.receive(chunk, origin));
    const connection = new Connection(this.#context, socket, this.#registry.takeCid());
    connection.log.debug('Client connection created');
    this.#registry.add(connection);
    connection.account.connections.add(connection);
    if (isFull) this.#refuse(connection, socket);
    else if (this.#tls === null) this.#greet(connection, socket);
    else this.#greetWithTls(connection, socket, this.#tls);
  }

  #refuse(connection: Connection, socket: Socket): void {
    connection.outbound.append(this.#context.encodeInfo(connection, false));
    connection.sendError(WIRE_ERRORS.maxConnections);
    connection.log.errorRateLimited(WIRE_ERRORS.maxConnections, connection.account.name);
    socket.on('error', () => {});
    connection.close(CLOSE_REASONS.maxConnections);
  }

  /** INFO, then the client's turn. */
  #greet(connection: Connection, socket: Socket): void {
    connection.outbound.append(this.#context.encodeInfo(connection, false));
    this.#serve(connection, socket);
  }

  #serve(connection: Connection, socket: Socket): void {
    attach(connection, socket);
    connection.start(this.authTimeoutMs);
  }

  #greetWithTls(connection: Connection, raw: Socket, tls: TlsGate): void {
    const first = this.#context.settings.tls?.handshakeFirst ?? false;
    // 'close' follows, and tells the gate's opinion from ours.
    raw.on('error', () => {});
    raw.on('close', () => {
      connection.close(tls.isHandshaking(connection) ? CLOSE_REASONS.tlsHandshake : CLOSE_REASONS.clientClosed);
    });
    if (first === true) this.#secureFirst(connection, raw, tls);
    else if (typeof first === 'number') this.#secureFirstOrGreet(connection, raw, tls, first);
    else this.#greetThenSecure(connection, raw, tls);
  }

  /** TLS, then INFO inside of it. */
  #secureFirst(connection: Connection, raw: Socket, tls: TlsGate): void {
    tls.upgrade(connection, raw, (socket) => {
      connection.setSocket(socket, true);
      this.#greet(connection, socket);
    });
  }

  #secureFirstOrGreet(connection: Connection, raw: Socket, tls: TlsGate, waitMs: number): void {
    let isDecided = false;
    const timer = this.#context.clock.setTimer(() => {
      if (isDecided) return;
      isDecided = true;
      raw.removeAllListeners('data');
      raw.pause();
      this.#greetThenSecure(connection, raw, tls);
    }, waitMs);
    peek(raw, () => {
      if (isDecided) return;
      isDecided = true;
      timer.cancel();
      this.#secureFirst(connection, raw, tls);
    });
  }

  /** Waits for the first byte as long as for a handshake; who says nothing is a plain client, as in nats-server. */
  #listenFirst(connection: Connection, raw: Socket, then: (isTls: boolean) => void): void {
    const { clock, settings } = this.#context;
    let isDecided = false;
    const decide = (isTls: boolean): void => {
      if (isDecided) return;
      isDecided = true;
      timer.cancel();
      raw.off('end', ended);
      raw.off('close', closed);
      if (!connection.isClosed) then(isTls);
    };
    const ended = (): void => connection.close(CLOSE_REASONS.clientClosed);
    const closed = (): void => timer.cancel();
    const timer = clock.setTimer(() => {
      raw.removeAllListeners('data');
      raw.pause();
      decide(false);
    }, settings.tls?.timeoutMs ?? TLS_TIMEOUT_MS);
    raw.on('end', ended);
    raw.on('close', closed);
    peek(raw, decide);
  }

  /** INFO in clear, then TLS; with allow_non_tls the first byte decides. */
  #greetThenSecure(connection: Connection, raw: Socket, tls: TlsGate): void {
    if (connection.isClosed) return;
    connection.outbound.append(this.#context.encodeInfo(connection, false));
    connection.flush();
    const secure = (): void =>
      tls.upgrade(connection, raw, (socket) => {
        connection.setSocket(socket, false);
        this.#serve(connection, socket);
      });
    if (!this.#context.settings.allowNonTls) {
      secure();
      return;
    }
    this.#listenFirst(connection, raw, (isTls) => {
      if (isTls) secure();
      else this.#serve(connection, raw);
    });
  }
}
