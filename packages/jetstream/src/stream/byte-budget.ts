import type { Engine, Usage } from '../engine.ts';
import type { HostAccount } from '../host.ts';
import type { MessageStore } from '../store/store.ts';
import type { StorageKind } from './config.ts';

/** What a stream needs from the account it belongs to. */
export interface StreamOwner {
  readonly account: HostAccount;
  readonly usage: Usage;
}

/** Counts the bytes of one stream into its account's and the server's, and holds messages against their limits. */
export class ByteBudget {
  readonly #engine: Engine;
  readonly #owner: StreamOwner;
  readonly #kind: StorageKind;
  readonly #messages: MessageStore;
  #counted = 0;

  constructor(engine: Engine, owner: StreamOwner, kind: StorageKind, messages: MessageStore) {
    this.#engine = engine;
    this.#owner = owner;
    this.#kind = kind;
    this.#messages = messages;
    this.update();
  }

  /** The bytes of the store may have changed. Hot path. */
  update(): void {
    this.#add(this.#messages.bytes - this.#counted);
  }

  /** The stream is gone. */
  release(): void {
    this.#add(-this.#counted);
  }

  /** The server holds more than it may. */
  get exceedsServer(): boolean {
    const { maxMemory, maxStorage } = this.#engine.settings.limits;
    const limit = this.#kind === 'file' ? maxStorage : maxMemory;
    return limit >= 0 && this.#engine.usage.of(this.#kind) > limit;
  }

  /** The account has a limit for this kind of stream. */
  get hasAccountLimit(): boolean {
    return this.#accountLimit >= 0;
  }

  /** A message of so many bytes would take the account above its limit. */
  exceedsAccount(bytes: number): boolean {
    const limit = this.#accountLimit;
    return limit >= 0 && this.#owner.usage.of(this.#kind) + bytes > limit;
  }

  get #accountLimit(): number {
    const limits = this.#owner.account.jetstreamLimits;
    if (limits === null) return -1;
    return this.#kind === 'file' ? limits.maxStorage : limits.maxMemory;
  }

  #add(delta: number): void {
    if (delta === 0) return;
    this.#counted += delta;
    this.#owner.usage.add(this.#kind, delta);
    this.#engine.usage.add(this.#kind, delta);
  }
}
