/**
 * The first value of a header in a block (`NATS/1.0\r\n…\r\n\r\n`): name in exact case at the start of a line, followed by a colon;
 * blanks before the value are skipped. '' when there is none. As sliceHeader in nats-server.
 */
export function findHeaderValue(block: Buffer, name: string): string {
  const key = `\r\n${name}:`;
  let start = block.indexOf(key, 0, 'latin1');
  if (start < 0) return '';
  start += key.length;
  while (block[start] === 0x20) start++;
  const end = block.indexOf('\r\n', start, 'latin1');
  return block.toString('utf8', start, end < 0 ? block.length : end);
}
