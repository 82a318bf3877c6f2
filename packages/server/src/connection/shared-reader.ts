import { Socket, type SocketConstructorOpts } from 'node:net';
import { ORIGIN_ELSEWHERE } from '../delivery/message-frame.ts';
import { READ_BUFFER_BYTES } from '../limits.ts';
import { type Arena, COPY_SLACK_BYTES } from './arena.ts';

interface Handle {
  useUserBuffer?: unknown;
}

/**
 * One read buffer for all plain connections. Reading a socket and working off what was read is one synchronous step, so
 * no two connections need it at a time; an idle connection holds no memory, and a read allocates none.
 *
 * Node offers reads into a given buffer (`onread`) only to sockets that are made by hand, so an accepted socket hands
 * its handle to a new one. Where that cannot be done, or where reads are posted ahead of the data (Windows), sockets
 * stay as they are and read in the usual way.
 */
export class SharedReader {
  readonly #buffer: Buffer;
  /** Where it is in the arena, or `ORIGIN_ELSEWHERE`. */
  readonly #origin: number;
  /** The part that was filled last; the next read often fills as much. */
  #view: Buffer;

  constructor(arena: Arena | null) {
    const address = arena === null ? -1 : arena.take(READ_BUFFER_BYTES + COPY_SLACK_BYTES);
    const isInArena = arena !== null && address >= 0;
    this.#origin = isInArena ? address : ORIGIN_ELSEWHERE;
    this.#buffer = isInArena
      ? arena.bytes.subarray(address, address + READ_BUFFER_BYTES)
      : Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#view = this.#buffer;
  }

  /**
   * A socket for the connection of `accepted`, which is not to be used any more, or `accepted` itself.
   * @param onChunk gets what is read; the chunk is overwritten when it returns. Not called if `accepted` is returned.
   */
  adopt(accepted: Socket, onChunk: (chunk: Buffer, origin: number) => void): Socket {
    const owner = accepted as unknown as { _handle: Handle | null };
    const handle = owner._handle;
    if (process.platform === 'win32' || typeof handle?.useUserBuffer !== 'function') return accepted;
    owner._handle = null;
    const socket = new Socket({
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: this.#buffer,
        callback: (bytes: number): boolean => {
          if (this.#view.length !== bytes) this.#view = this.#buffer.subarray(0, bytes);
          onChunk(this.#view, this.#origin);
          return true;
        },
      },
    } as unknown as SocketConstructorOpts);
    accepted.destroy();
    return socket;
  }
}
