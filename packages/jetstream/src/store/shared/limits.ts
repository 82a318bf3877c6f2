/** Largest sequence a store hands out: above it a double no longer counts in ones. */
export const SEQUENCE_MAX: number = Number.MAX_SAFE_INTEGER;

/** Largest record of a message, bytes as in a block file (spec/jetstream.md 7.2). */
export const RECORD_BYTES_MAX: number = 32 * 1024 * 1024;

/** Bytes a message takes in a block file (spec/jetstream.md 2.3). */
export function recordBytes(subjectBytes: number, headerBytes: number, payloadBytes: number): number {
  return 30 + subjectBytes + (headerBytes > 0 ? 4 + headerBytes : 0) + payloadBytes;
}

/** Refuses a message whose record would be above RECORD_BYTES_MAX, in memory and on disk alike. */
export function checkRecordBytes(subjectBytes: number, headerBytes: number, payloadBytes: number): void {
  const bytes = recordBytes(subjectBytes, headerBytes, payloadBytes);
  if (bytes > RECORD_BYTES_MAX) {
    throw new RangeError(`message record of ${bytes} bytes is above the limit of ${RECORD_BYTES_MAX} bytes`);
  }
}

/** Refuses to use sequences above SEQUENCE_MAX. */
export function checkSequence(seq: number): void {
  if (!(seq <= SEQUENCE_MAX)) {
    throw new RangeError(`stream sequence ${seq} is above the largest supported one, ${SEQUENCE_MAX}`);
  }
}
