/** Messages and payload bytes (headers included), both ways. */
export class Traffic {
  inMsgs = 0;
  inBytes = 0;
  outMsgs = 0;
  outBytes = 0;

  add(other: Traffic): void {
    this.inMsgs += other.inMsgs;
    this.inBytes += other.inBytes;
    this.outMsgs += other.outMsgs;
    this.outBytes += other.outBytes;
  }
}
