import type { SyncObserver } from '../../observer.ts';

/** Tells an observer about the syncs of one stream. */
export class SyncWatch {
  readonly #observer: SyncObserver;
  readonly #account: string;
  readonly #stream: string;

  constructor(observer: SyncObserver, account: string, stream: string) {
    this.#observer = observer;
    this.#account = account;
    this.#stream = stream;
  }

  began(): number {
    return this.#observer.syncBegan(this.#account, this.#stream);
  }

  ended(began: number, bytes: number, messages: number, error: Error | null): void {
    this.#observer.syncEnded(began, this.#account, this.#stream, bytes, messages, error);
  }
}
