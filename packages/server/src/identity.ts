import { createHash, generateKeyPairSync } from 'node:crypto';

/** Public keys of the server, new at every start. */
export interface ServerIdentity {
  /** `N…`, 56 characters: the server id. */
  readonly serverId: string;
  /** `X…`: for encrypted exchanges. */
  readonly xkey: string;
}

/** First byte of a public nkey; its upper five bits are the letter it begins with. */
const SERVER_PREFIX: number = 13 << 3;
const CURVE_PREFIX: number = 23 << 3;
/** A raw key stands at the end of its DER form. */
const KEY_BYTES = 32;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** With Node's own cryptography: an nkeys library takes longer to load than this server to start. */
export function createIdentity(): ServerIdentity {
  const server = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
  const curve = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' });
  return { serverId: encodeNkey(SERVER_PREFIX, server), xkey: encodeNkey(CURVE_PREFIX, curve) };
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What a server is called among the peers of a stream: 8 characters made of its name. As nats-server's. */
export function nodeName(serverName: string): string {
  const digest = createHash('sha256').update(serverName).digest();
  return Array.from(digest.subarray(0, 8), (byte) => BASE62.charAt(byte % BASE62.length)).join('');
}

/** An nkey as text: prefix, key, CRC-16 (XMODEM, low byte first), in base32 without padding. */
function encodeNkey(prefix: number, der: Buffer): string {
  const bytes = Buffer.concat([Buffer.of(prefix), der.subarray(-KEY_BYTES), Buffer.alloc(2)]);
  bytes.writeUInt16LE(crc16(bytes.subarray(0, -2)), bytes.length - 2);
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
  }
  return text;
}

function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc;
}
