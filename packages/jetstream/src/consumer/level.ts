import { findHeader } from '@nats-ts/protocol';
import { exceedsApiLevel } from '../stream/metadata.ts';

const REQUIRED_LEVEL = Buffer.from('Nats-Required-Api-Level');

/** True if a message's header block demands an API level that this server does not have. */
export function requiresHigherLevel(buffer: Buffer, start: number, end: number): boolean {
  if (end <= start) return false;
  const found = findHeader(buffer, start, end, REQUIRED_LEVEL);
  return found !== null && exceedsApiLevel(buffer.toString('latin1', found.start, found.end));
}
