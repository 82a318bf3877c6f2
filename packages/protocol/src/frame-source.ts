/** Memory that is used again for messages that arrive in pieces. */
export interface FrameSource {
  /** A buffer of exactly `bytes` bytes, or null: then the parser makes one, which is used for this message only. */
  take(bytes: number): Buffer | null;
  /** The message is through, or will never be: the buffer, one that `take` gave, is free. */
  give(frame: Buffer): void;
}

/** Has none. */
export const NO_FRAMES: FrameSource = { take: () => null, give: () => {} };
