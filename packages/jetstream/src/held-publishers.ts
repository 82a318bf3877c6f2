import type { HostHold, HostMessage } from './host.ts';

/**
 * The clients that are not read from until a backlog has shrunk. They are no more than the server has connections: one that is
 * held sends nothing that could have it held again.
 */
export class HeldPublishers {
  #holds: HostHold[] = [];

  get isEmpty(): boolean {
    return this.#holds.length === 0;
  }

  /** Whoever published the message waits. Nothing inside the process does. */
  add(message: Pick<HostMessage, 'holdPublisher'>): void {
    const hold = message.holdPublisher();
    if (hold !== null) this.#holds.push(hold);
  }

  /** All of them go on. */
  release(): void {
    if (this.#holds.length === 0) return;
    const holds = this.#holds;
    this.#holds = [];
    for (const hold of holds) hold.release();
  }
}
