import { createHash, timingSafeEqual } from 'node:crypto';
import { BCRYPT_RUNNING_MAX, BCRYPT_WAITING_MAX } from '../limits.ts';

const BCRYPT = /^\$2[abxy]\$\d{2}\$/;

/** True for a bcrypt hash, as nats-server recognises one. */
export function isBcrypt(password: string): boolean {
  return BCRYPT.test(password);
}

/** Compares in a time that does not depend on where the two differ. */
export function isSameSecret(expected: string, given: string): boolean {
  return timingSafeEqual(digest(expected), digest(given));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Verifies bcrypt hashes off the event loop, a few at a time: a verification takes tens of milliseconds of a core, and a
 * flood of log-ins must not take all of the thread pool.
 */
export class BcryptVerifier {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves to false also for a hash that cannot be read, and when too many wait already. */
  async verify(hash: string, password: string): Promise<boolean> {
    if (this.#running >= BCRYPT_RUNNING_MAX) {
      if (this.#waiting.length >= BCRYPT_WAITING_MAX) return false;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
    try {
      // Native code, loaded with the first hash that is to be verified: most servers have none.
      const { verify } = await import('@node-rs/bcrypt');
      return await verify(password, hash).catch(() => false);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}
