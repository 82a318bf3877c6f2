import { RECORD_BYTES_MAX } from '../../shared/limits.ts';
import { EMPTY_RECORD_BYTES, isTombstone, recordSeq, writeErasedRecord } from './record.ts';
import type { Gap } from './scan.ts';
import type { SeqSet } from './seq-set.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/** What a gap stands for. */
export interface ResolvedGap {
  /** Sequence of the record that takes the gap's place: the highest that is lost in it. 0 = it uses none. */
  fillSeq: number;
  /** Messages that are lost. */
  lostSeqs: number[];
}

/**
 * Tells from its neighbours which sequences a gap has swallowed.
 *
 * @param before highest sequence that was used in front of it, as far as that is known from other blocks.
 * @param after lowest sequence of the blocks behind, for one that ends its block; 0 = it is the last block.
 * @param used highest sequence that any record names: nothing follows, but a tombstone may.
 * @param removed messages that had been removed anyway.
 */
export function resolveGap(gap: Gap, before: number, after: number, used: number, removed: SeqSet): ResolvedGap {
  const low = Math.max(before, gap.before);
  const next = gap.after === 0 ? after : gap.after;
  if (gap.tombstone) return { fillSeq: 0, lostSeqs: [] };
  let high: number;
  if (next > 0) high = next - 1;
  else if (gap.hint > low) high = gap.hint;
  else high = Math.max(used, low + 1);
  if (high <= low) return { fillSeq: 0, lostSeqs: [] };
  return { fillSeq: high, lostSeqs: lostBetween(gap, low, high, removed) };
}

function lostBetween(gap: Gap, low: number, high: number, removed: SeqSet): number[] {
  const recordsMax = Math.ceil((gap.end - gap.start) / EMPTY_RECORD_BYTES);
  // One message, or more sequences than there could have been: some were without a message before.
  if (gap.single || high - low > recordsMax) {
    const seq = gap.hint > low && gap.hint <= high ? gap.hint : high;
    return removed.has(seq) ? [] : [seq];
  }
  const lost: number[] = [];
  for (let seq = low + 1; seq <= high; seq++) if (!removed.has(seq)) lost.push(seq);
  return lost;
}

/** Overwrites a gap with erased records, one unless it is longer than a record may be. */
export function fillGap(key: Uint8Array, bytes: Buffer, gap: Gap, seq: number, offsets: readonly number[]): void {
  const previous = offsets.findLast((at) => at < gap.start && !isTombstone(bytes, at) && recordSeq(bytes, at) > 0);
  const timeMs = previous === undefined ? 0 : readTimeMs(bytes, previous + 12);
  const timeNs = previous === undefined ? 0 : readTimeNs(bytes, previous + 12);
  for (let at = gap.start; at < gap.end; ) {
    let length = gap.end - at;
    if (length > RECORD_BYTES_MAX) length = RECORD_BYTES_MAX / 2;
    const isLast = at + length === gap.end;
    writeErasedRecord(
      key,
      bytes,
      at,
      length,
      isLast ? seq : 0,
      Buffer.alloc(length - EMPTY_RECORD_BYTES),
      timeMs,
      timeNs,
    );
    at += length;
  }
}
