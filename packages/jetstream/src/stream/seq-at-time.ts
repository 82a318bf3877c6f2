import { parseTime } from '../json/go-time.ts';
import type { MessageStore } from '../store/store.ts';

const NANOS_PER_MS = 1_000_000n;

/**
 * First sequence stored at or after a time in RFC 3339; lastSeq + 1 if there is none. As nats-server counts: in nanoseconds of 64 bits,
 * which wrap around outside of the years 1678 to 2262.
 */
export function seqAtTime(messages: MessageStore, time: string): number {
  const { ms, ns } = parseTime(time);
  const nanos = BigInt.asIntN(64, BigInt(ms) * NANOS_PER_MS + BigInt(ns));
  const withinMs = ((nanos % NANOS_PER_MS) + NANOS_PER_MS) % NANOS_PER_MS;
  return messages.seqAtTime(Number((nanos - withinMs) / NANOS_PER_MS), Number(withinMs));
}
