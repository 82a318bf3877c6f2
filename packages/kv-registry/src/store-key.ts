const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS_PER_CHARACTER = 5;
const CHARACTERS_PER_GROUP = 8;

/** Prefix that go-micro's store puts before every key: the table, which is the bucket's own name. */
const TABLE = 'service-registry';

/** A key as go-micro's nats-js-kv store writes it: `service-registry_<key>` in padded base32 (spec/ocis.md 4). */
export function encodeStoreKey(key: string): string {
  return encodeBase32(new TextEncoder().encode(`${TABLE}_${key}`));
}

/** Null if it is not such a key. */
export function decodeStoreKey(encoded: string): string | null {
  const bytes = decodeBase32(encoded);
  if (bytes === null) return null;
  const text = new TextDecoder().decode(bytes);
  return text.startsWith(`${TABLE}_`) ? text.slice(TABLE.length + 1) : null;
}

/** RFC 4648 base32 with padding, as Go's base32.StdEncoding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= BITS_PER_CHARACTER) {
      bits -= BITS_PER_CHARACTER;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
  }
  if (bits > 0) text += ALPHABET.charAt((held << (BITS_PER_CHARACTER - bits)) & 31);
  return text.padEnd(Math.ceil(text.length / CHARACTERS_PER_GROUP) * CHARACTERS_PER_GROUP, '=');
}

/** Null for text that is not padded base32. */
export function decodeBase32(text: string): Uint8Array | null {
  if (text.length % CHARACTERS_PER_GROUP !== 0 || !/^[A-Z2-7]*={0,6}$/.test(text)) return null;
  const body = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((body.length * BITS_PER_CHARACTER) / 8));
  let at = 0;
  let bits = 0;
  let held = 0;
  for (const character of body) {
    held = ((held << BITS_PER_CHARACTER) | ALPHABET.indexOf(character)) & 0xfff;
    bits += BITS_PER_CHARACTER;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return encodeBase32(bytes) === text ? bytes : null;
}
