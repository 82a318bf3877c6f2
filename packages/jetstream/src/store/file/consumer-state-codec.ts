import { emptyConsumerState } from '../shared/empty.ts';
import type { ConsumerState } from '../store.ts';
import { VARINT_BYTES_MAX, VarintReader, writeUvarint, writeVarint } from './varint.ts';

/**
 * `o.dat`, a consumer's state as nats-server keeps it (spec/jetstream.md 7.5). All integers are varints:
 *
 * ```
 * 22 | version 2
 * ack floor consumer, stream | delivered consumer, stream
 * number pending, then if any: base second (signed), and for each
 *   stream seq - ack floor stream | consumer seq - ack floor consumer | base second - second of delivery (signed)
 * number redelivered, and for each: stream seq - ack floor stream | redeliveries
 * ```
 *
 * There is no checksum: only lengths and ranges tell damage.
 */

const MAGIC = 22;
const VERSION = 2;
/** Deliveries were counted from the next one, and pending entries had no consumer sequence. */
const VERSION_1 = 1;

/** Encodes the state. Times of delivery keep their second only. `nowMs` becomes the base they are relative to. */
export function encodeConsumerState(state: ConsumerState, nowMs: number): Buffer {
  const { ackFloor, delivered, pending, redelivered } = state;
  const entries = 7 + pending.size * 3 + redelivered.size * 2;
  const target = Buffer.allocUnsafe(2 + entries * VARINT_BYTES_MAX);
  target[0] = MAGIC;
  target[1] = VERSION;
  let at = 2;
  at = writeUvarint(target, at, ackFloor.consumerSeq);
  at = writeUvarint(target, at, ackFloor.streamSeq);
  at = writeUvarint(target, at, delivered.consumerSeq);
  at = writeUvarint(target, at, delivered.streamSeq);
  const baseSecond = Math.round(nowMs / 1000);
  let outstanding = 0;
  // What is at or below the floor is done with, and its distance could not be written.
  for (const streamSeq of pending.keys()) if (streamSeq > ackFloor.streamSeq) outstanding++;
  at = writeUvarint(target, at, outstanding);
  if (outstanding > 0) {
    at = writeVarint(target, at, baseSecond);
    for (const [streamSeq, { consumerSeq, timeMs }] of pending) {
      if (streamSeq <= ackFloor.streamSeq) continue;
      at = writeUvarint(target, at, streamSeq - ackFloor.streamSeq);
      at = writeUvarint(target, at, Math.max(0, consumerSeq - ackFloor.consumerSeq));
      at = writeVarint(target, at, baseSecond - Math.floor(timeMs / 1000));
    }
  }
  let again = 0;
  for (const streamSeq of redelivered.keys()) if (streamSeq > ackFloor.streamSeq) again++;
  at = writeUvarint(target, at, again);
  for (const [streamSeq, count] of redelivered) {
    if (streamSeq <= ackFloor.streamSeq) continue;
    at = writeUvarint(target, at, streamSeq - ackFloor.streamSeq);
    at = writeUvarint(target, at, count);
  }
  return target.subarray(0, at);
}

/** Decodes what this codec or nats-server wrote, versions 1 and 2. Null when it is damaged; bytes behind it are ignored. */
export function decodeConsumerState(bytes: Buffer): ConsumerState | null {
  const version = bytes[1];
  if (bytes[0] !== MAGIC || (version !== VERSION && version !== VERSION_1)) return null;
  const reader = new VarintReader(bytes, 2);
  const state = emptyConsumerState();
  const { ackFloor, delivered } = state;
  ackFloor.consumerSeq = reader.uvarint();
  ackFloor.streamSeq = reader.uvarint();
  delivered.consumerSeq = reader.uvarint();
  delivered.streamSeq = reader.uvarint();
  if (version === VERSION_1) {
    if (ackFloor.consumerSeq > 1) delivered.consumerSeq += ackFloor.consumerSeq - 1;
    if (ackFloor.streamSeq > 1) delivered.streamSeq += ackFloor.streamSeq - 1;
  }
  readPending(reader, version, state);
  const redeliveredCount = reader.uvarint();
  for (let left = redeliveredCount; left > 0 && !reader.failed; left--) {
    const streamSeq = reader.uvarintFrom(ackFloor.streamSeq);
    const count = reader.uvarint();
    if (streamSeq > 0 && count > 0) state.redelivered.set(streamSeq, count);
  }
  return reader.failed ? null : state;
}

function readPending(reader: VarintReader, version: number, state: ConsumerState): void {
  const count = reader.uvarint();
  if (count === 0) return;
  const baseSecond = reader.varint();
  for (let left = count; left > 0 && !reader.failed; left--) {
    const streamSeq = reader.uvarintFrom(state.ackFloor.streamSeq);
    const consumerSeq = version === VERSION_1 ? 0 : reader.uvarintFrom(state.ackFloor.consumerSeq);
    const distance = reader.varint();
    const second = version === VERSION_1 ? baseSecond + distance : baseSecond - distance;
    if (streamSeq === 0) reader.failed = true;
    if (!reader.failed) state.pending.set(streamSeq, { consumerSeq, timeMs: second * 1000 });
  }
}

/** True if the parts of a state agree with each other: what a checksum would have to tell otherwise. */
export function isConsistent(state: ConsumerState): boolean {
  const { ackFloor, delivered, pending } = state;
  if (ackFloor.consumerSeq > delivered.consumerSeq || ackFloor.streamSeq > delivered.streamSeq) return false;
  for (const streamSeq of pending.keys()) {
    if (streamSeq <= ackFloor.streamSeq || streamSeq > delivered.streamSeq) return false;
  }
  return true;
}

/** True if two states would be written alike: times count by their second. */
export function isSameState(left: ConsumerState, right: ConsumerState): boolean {
  return (
    isSamePosition(left.ackFloor, right.ackFloor) &&
    isSamePosition(left.delivered, right.delivered) &&
    left.pending.size === right.pending.size &&
    left.redelivered.size === right.redelivered.size &&
    [...left.pending].every(([seq, { consumerSeq, timeMs }]) => {
      const other = right.pending.get(seq);
      return other?.consumerSeq === consumerSeq && Math.floor(other.timeMs / 1000) === Math.floor(timeMs / 1000);
    }) &&
    [...left.redelivered].every(([seq, count]) => right.redelivered.get(seq) === count)
  );
}

function isSamePosition(left: ConsumerState['delivered'], right: ConsumerState['delivered']): boolean {
  return left.consumerSeq === right.consumerSeq && left.streamSeq === right.streamSeq;
}
