const EMPTY = Buffer.alloc(0);

/**
 * One PUB or HPUB as offsets into `buffer`. A parser owns one of these and fills it anew for every message, so the
 * object is only valid during the callback that gets it. `buffer` is either the chunk given to `parse` (and belongs to
 * whoever read it) or, for a message that arrived in pieces, one of the parser's `FrameSource` or else a buffer of its
 * own which the parser never touches again: a slice of that last one may be kept. In both, CR LF (or LF) and the payload follow the line, and CR LF follows the payload.
 */
export class PublishArgs {
  buffer: Buffer = EMPTY;
  /** Subject: [subjectStart, subjectEnd). */
  subjectStart = 0;
  subjectEnd = 0;
  /** Reply subject, both -1 when there is none. */
  replyStart = -1;
  replyEnd = -1;
  /** Size token(s), to be echoed verbatim: PUB the size; HPUB from the header size to the end of the total size. */
  sizeStart = 0;
  sizeEnd = 0;
  /** End of the header size token of an HPUB; -1 for PUB. */
  headerSizeEnd = -1;
  /** Start of the total size token; equal to `sizeStart` for PUB. */
  totalSizeStart = 0;
  /** Bytes of the header block at the start of the payload: -1 for PUB, 0 or more for HPUB. */
  headerSize = -1;
  /** Header block and payload: [payloadStart, payloadEnd), without the CR LF behind it. */
  payloadStart = 0;
  payloadEnd = 0;

  /** Shifts subject, reply and size offsets by `distance`: the argument bytes were copied to another place. */
  moveBy(distance: number): void {
    this.subjectStart += distance;
    this.subjectEnd += distance;
    if (this.replyStart >= 0) {
      this.replyStart += distance;
      this.replyEnd += distance;
    }
    this.sizeStart += distance;
    this.sizeEnd += distance;
    if (this.headerSizeEnd >= 0) this.headerSizeEnd += distance;
    this.totalSizeStart += distance;
  }

  /** Lets go of the buffer, so that an idle connection holds none. */
  release(): void {
    this.buffer = EMPTY;
  }
}
