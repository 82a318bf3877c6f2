import { connect, type Socket } from 'node:net';

const READ_BUFFER_BYTES = 256 * 1024;

/**
 * A connection that hands its reads on as slices of one reused buffer: the generator must not be the bottleneck.
 * It speaks protocol 0, so that no second INFO mixes with the bytes that are counted.
 */
export class Connection {
  readonly socket: Socket;
  #onBytes: (buffer: Buffer, length: number) => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(port: number, name: string): Promise<Connection> {
    const holder: { connection?: Connection } = {};
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
        callback: (length, buffer): boolean => {
          holder.connection?.received(buffer as Buffer, length);
          return true;
        },
      },
    });
    const connection = new Connection(socket);
    holder.connection = connection;
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const ready = connection.#collectUntil('PONG\r\n');
    const options = { verbose: false, pedantic: false, protocol: 0, headers: true, no_responders: true, name };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`);
    await ready;
    return connection;
  }

  received(buffer: Buffer, length: number): void {
    this.#onBytes(buffer, length);
  }

  /** From now on reads go to `callback`; the buffer is valid only during the call. */
  onBytes(callback: (buffer: Buffer, length: number) => void): void {
    this.#onBytes = callback;
  }

  /** Sends bytes and waits until everything sent before has been processed. */
  async flush(bytes: string | Buffer = ''): Promise<void> {
    const ready = this.#collectUntil('PONG\r\n');
    this.socket.write(typeof bytes === 'string' ? `${bytes}PING\r\n` : Buffer.concat([bytes, Buffer.from('PING\r\n')]));
    await ready;
  }

  /** One request with a reply subject of its own; resolves with the payload of the answer. */
  async request(subject: string, payload: string, sid: number): Promise<string> {
    const inbox = `_INBOX.bench.request.${sid}`;
    const answer = this.#collectUntil('', (text) => {
      const head = /(?:^|\r\n)(?:MSG (\S+) \d+ (?:\S+ )?(\d+)|HMSG (\S+) \d+ (?:\S+ )?(\d+) (\d+))\r\n/.exec(text);
      if (!head) return null;
      const total = Number(head[2] ?? head[5]);
      const start = head.index + head[0].length;
      return text.length >= start + total ? text.slice(start, start + total) : null;
    });
    this.socket.write(
      `SUB ${inbox} ${sid}\r\nUNSUB ${sid} 1\r\nPUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`,
    );
    return answer;
  }

  close(): void {
    this.socket.destroy();
  }

  #collectUntil(
    mark: string,
    look: (text: string) => string | null = (text) => (text.includes(mark) ? text : null),
  ): Promise<string> {
    let text = '';
    return new Promise((resolve) => {
      this.onBytes((buffer, length) => {
        text += buffer.toString('latin1', 0, length);
        const found = look(text);
        if (found === null) return;
        this.onBytes(() => {});
        resolve(found);
      });
    });
  }
}

/** Writes `chunk` as often as needed, never more than the socket takes at once. `last` is the rest. */
export async function writeRepeated(socket: Socket, chunk: Buffer, times: number, last: Buffer): Promise<void> {
  for (let i = 0; i < times; i++) {
    if (!socket.write(chunk)) await new Promise<void>((resolve) => socket.once('drain', resolve));
  }
  if (last.length > 0) socket.write(last);
}

/** Prebuilt publishes: as many copies of `message` as fit about 64 KiB, and the rest for an exact count. */
export function prebuild(message: Buffer, count: number): { chunk: Buffer; times: number; last: Buffer } {
  const perChunk = Math.max(1, Math.floor(65_536 / message.length));
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => message));
  const times = Math.floor(count / perChunk);
  const last = chunk.subarray(0, (count - times * perChunk) * message.length);
  return { chunk, times, last };
}
