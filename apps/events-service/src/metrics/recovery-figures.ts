import type { RecoveryObserver, StreamRecovery } from '@nats-ts/natsd';

/** Adds up what was found when the streams were read from disk. */
export class RecoveryFigures implements RecoveryObserver {
  /** Streams being read. */
  running = 0;
  streams = 0;
  offline = 0;
  /** Streams that had no usable index. */
  scanned = 0;
  messages = 0;
  lostMessages = 0;
  lostBytes = 0;
  damagedBlocks = 0;
  repairedRecords = 0;
  tornBytes = 0;
  #beganAt: number | null = null;
  #endedAt = 0;

  recoveryBegan(): number {
    this.running++;
    const now = performance.now();
    this.#beganAt ??= now;
    return now;
  }

  recoveryEnded(_began: number, _account: string, _stream: string, found: StreamRecovery): void {
    this.running--;
    this.#endedAt = performance.now();
    if (found.offline === null) this.streams++;
    else this.offline++;
    if (found.offline === null && !found.fromIndex) this.scanned++;
    this.messages += found.messages;
    this.lostMessages += found.lostMessages;
    this.lostBytes += found.lostBytes;
    this.damagedBlocks += found.damagedBlocks;
    this.repairedRecords += found.repairedRecords;
    this.tornBytes += found.tornBytes;
  }

  /** From the first stream's beginning to the last one's end, or until now. */
  get seconds(): number {
    if (this.#beganAt === null) return 0;
    return ((this.running > 0 ? performance.now() : this.#endedAt) - this.#beganAt) / 1000;
  }
}
