import { type AddressInfo, createServer, isIPv6, type ListenOptions, type Server, type Socket } from 'node:net';

/** A listener could not be opened. `code` as in Node: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  /** `host:port` that was asked for. */
  readonly address: string;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    super(`listen tcp ${address}: bind: ${reason(cause)}`, { cause });
    this.code = cause.code ?? 'UNKNOWN';
    this.address = address;
  }
}

/** Host and port as Go joins them. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Most connections the kernel completes before they are accepted. */
const BACKLOG = 4096;

/** A TCP port, taken from the moment of `open`; connections that come before `serve` wait. */
export class Listener {
  readonly #server: Server;
  readonly #waitingMax: number;
  #waiting: Socket[] = [];
  #port = 0;
  #serve: ((socket: Socket) => void) | null = null;

  /** @param waitingMax connections that may wait for `serve`; more are closed. */
  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#accepted(socket),
    );
  }

  /** The port it has, or had before `close`; 0 before `open`. */
  get port(): number {
    return this.#port;
  }

  /**
   * Takes the port; -1 and 0 = any free one.
   * @throws ListenError
   */
  async open(host: string, port: number): Promise<void> {
    const wanted = port === -1 ? 0 : port;
    try {
      // As Go does, the unspecified address takes both families where there are both.
      await this.#listen({ host: isUnspecified(host) ? '::' : host, port: wanted });
    } catch (error) {
      const cause = error as NodeJS.ErrnoException;
      if (!isUnspecified(host) || isIPv6(host) || !isFamilyMissing(cause))
        throw new ListenError(hostPort(host, port), cause);
      await this.#listen({ host, port: wanted }).catch((second: NodeJS.ErrnoException) => {
        throw new ListenError(hostPort(host, port), second);
      });
    }
  }

  /** Connections, those that wait first, are handed over from now on: paused, to be resumed by who reads. */
  serve(callback: (socket: Socket) => void): void {
    this.#serve = callback;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const socket of waiting) {
      if (!socket.destroyed) callback(socket);
    }
  }

  /** Frees the port; accepted connections stay. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
  }

  #accepted(socket: Socket): void {
    if (this.#serve !== null) {
      this.#serve(socket);
      return;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      socket.destroy();
      return;
    }
    socket.on('error', () => socket.destroy());
    this.#waiting.push(socket);
  }

  #listen(options: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...options, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        // Running out of file descriptors must not end the process; the next accept may succeed.
        this.#server.on('error', () => {});
        resolve();
      });
    });
  }
}

function isUnspecified(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

function isFamilyMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL' || error.code === 'EINVAL';
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'address already in use';
    case 'EACCES':
      return 'permission denied';
    case 'EADDRNOTAVAIL':
      return 'cannot assign requested address';
    default:
      return error.message;
  }
}
