const EMPTY_BLOCK = 'NATS/1.0\r\n';

/** The header block of a message whose payload stays behind: the stored one with `Nats-Msg-Size` at its end. */
export function addSizeHeader(header: Buffer | null, payloadBytes: number): Buffer {
  const size = `Nats-Msg-Size: ${payloadBytes}\r\n\r\n`;
  if (header === null) return Buffer.from(EMPTY_BLOCK + size, 'latin1');
  // The stored block ends with an empty line; the new header goes before it.
  const kept = header.length - 2;
  const block = Buffer.allocUnsafe(kept + size.length);
  header.copy(block, 0, 0, kept);
  block.write(size, kept, 'latin1');
  return block;
}
