import { randomBytes, randomInt } from 'node:crypto';
import { nuid } from '@nats-io/nuid';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Ids and randomness from the machine's own sources. */
export class SystemIds {
  nuid(): string {
    return nuid.next();
  }

  token(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += ALPHABET.charAt(randomInt(ALPHABET.length));
    return text;
  }

  random(): number {
    return Math.random();
  }

  bytes(length: number): Uint8Array {
    return randomBytes(length);
  }
}
