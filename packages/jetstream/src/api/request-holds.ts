import type { HostHold, HostMessage } from '../host.ts';

/**
 * Part of a queue's limit that one client's requests may take up before it is not read from any more, and part at which it goes on.
 * nats-server keeps up by working on several processors; here who asks more than can be answered waits, and nobody else.
 */
export const CLIENT_HOLD_SHARE: number = 1 / 8;
export const CLIENT_RELEASE_SHARE: number = 1 / 16;
/** The same for all clients together: many that ask a little each. */
export const QUEUE_HOLD_SHARE: number = 1 / 2;
export const QUEUE_RELEASE_SHARE: number = 1 / 4;

interface Waiting {
  requests: number;
  hold: HostHold | null;
}

/** Who has requests in a queue, and who of them is not read from because of that. As many clients as requests at most. */
export class RequestHolds {
  readonly #limit: number;
  readonly #clients = new Map<number, Waiting>();
  /** There is so much of everybody's that all who ask are held. */
  #isFull = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param total requests that wait, this one included. */
  pushed(client: number, message: Pick<HostMessage, 'holdPublisher'>, total: number): void {
    let own = this.#clients.get(client);
    if (own === undefined) this.#clients.set(client, (own = { requests: 0, hold: null }));
    own.requests++;
    if (total >= this.#limit * QUEUE_HOLD_SHARE) this.#isFull = true;
    if (this.#isFull || own.requests >= this.#limit * CLIENT_HOLD_SHARE) own.hold ??= message.holdPublisher();
  }

  /** A request has begun. @param total requests that still wait. */
  taken(client: number, total: number): void {
    const own = this.#clients.get(client);
    if (own === undefined) return;
    own.requests--;
    if (!this.#isFull) {
      this.#ease(client, own);
    } else if (total <= this.#limit * QUEUE_RELEASE_SHARE) {
      this.#isFull = false;
      for (const [other, waiting] of this.#clients) this.#ease(other, waiting);
    }
  }

  /** Nothing waits any more. */
  clear(): void {
    this.#isFull = false;
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const { hold } of clients) hold?.release();
  }

  #ease(client: number, waiting: Waiting): void {
    if (waiting.requests > this.#limit * CLIENT_RELEASE_SHARE) return;
    waiting.hold?.release();
    waiting.hold = null;
    if (waiting.requests === 0) this.#clients.delete(client);
  }
}
