import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GiveUp, until, within } from './deadline.ts';

/** A bare TCP connection for byte-exact conversations. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.on('error', () => {
      // A reset shows as closed; nothing else to say about it.
    });
  }

  /** Connects, and by default swallows the first INFO line. */
  static async connect(port: number, options: { host?: string; keepInfo?: boolean } = {}): Promise<RawClient> {
    const socket = connect({ port, host: options.host ?? '127.0.0.1', noDelay: true });
    const client = new RawClient(socket);
    await within(`a connection to port ${port}`, once(socket, 'connect'));
    if (!options.keepInfo) await client.readUntil('\r\n');
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What has arrived and was not read yet, as latin1. */
  get received(): string {
    return this.#received.toString('latin1');
  }

  /** Drops the first `length` received bytes. */
  discard(length: number): void {
    this.#received = this.#received.subarray(length);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Reads up to and including `mark`. */
  async readUntil(mark: string, withinMs = 5_000): Promise<string> {
    const end = await until(
      `"${mark}" in ${JSON.stringify(this.received.slice(0, 400))}`,
      () => {
        const at = this.received.indexOf(mark);
        if (at >= 0) return at + mark.length;
        if (this.#closed) throw new GiveUp(`closed after ${JSON.stringify(this.received)}`);
        return null;
      },
      withinMs,
    );
    const text = this.received.slice(0, end);
    this.#received = this.#received.subarray(end);
    return text;
  }

  /** Sends PING and reads up to its PONG: everything sent before has been processed then. */
  async flush(): Promise<string> {
    this.send('PING\r\n');
    return this.readUntil('PONG\r\n');
  }

  /** Waits for the server to close; returns what came before. */
  async untilClosed(withinMs = 5_000): Promise<string> {
    await until('the server closes the connection', () => this.#closed, withinMs);
    const text = this.received;
    this.#received = Buffer.alloc(0);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) {
      this.socket.destroy();
      await until('the socket is closed', () => this.#closed);
    }
  }
}
