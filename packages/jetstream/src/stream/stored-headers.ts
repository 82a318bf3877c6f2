import { subjectToBytes } from '@nats-ts/protocol';
import { formatTime } from '../json/go-time.ts';

const CRLF_BYTES = 2;
const VERSION = Buffer.from('NATS/1.0\r\n');

/**
 * The header block of a stored message with what direct get and republish add: Nats-Stream, -Subject, -Sequence and -Time-Stamp, in
 * that order, behind its own headers (spec/jetstream.md 5.1).
 * @param block the stored block, may be empty
 * @param more further header lines, each with its CRLF
 */
export function extendBlock(
  block: Buffer,
  stream: string,
  subject: string,
  seq: number,
  timeMs: number,
  timeNs: number,
  more: string,
): Buffer {
  return Buffer.concat([
    block.length === 0 ? VERSION : block.subarray(0, block.length - CRLF_BYTES),
    Buffer.from(`Nats-Stream: ${stream}\r\nNats-Subject: `),
    subjectToBytes(subject),
    Buffer.from(`\r\nNats-Sequence: ${seq}\r\nNats-Time-Stamp: ${formatTime(timeMs, timeNs)}\r\n${more}\r\n`),
  ]);
}
