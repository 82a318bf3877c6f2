const EMPTY = Buffer.alloc(0);

/**
 * One MSG or HMSG as offsets into `buffer`, filled anew for every message: valid only during the callback that gets it.
 * `buffer` is the chunk given to `parse`, or a buffer of its own for a message that arrived in pieces.
 */
export class MessageArgs {
  buffer: Buffer = EMPTY;
  subjectStart = 0;
  subjectEnd = 0;
  sidStart = 0;
  sidEnd = 0;
  /** Reply subject, both -1 when there is none. */
  replyStart = -1;
  replyEnd = -1;
  /** Bytes of the header block at the start of the payload: -1 for MSG. */
  headerSize = -1;
  /** Header block and payload: [payloadStart, payloadEnd), without the CR LF behind it. */
  payloadStart = 0;
  payloadEnd = 0;

  /** Shifts subject, sid and reply offsets by `distance`: the argument bytes were copied to another place. */
  moveBy(distance: number): void {
    this.subjectStart += distance;
    this.subjectEnd += distance;
    this.sidStart += distance;
    this.sidEnd += distance;
    if (this.replyStart >= 0) {
      this.replyStart += distance;
      this.replyEnd += distance;
    }
  }

  /** Lets go of the buffer. */
  release(): void {
    this.buffer = EMPTY;
  }
}
