import type { StreamConfig } from './config.ts';

/**
 * What a stream is held to, in plain numbers for the way of every message. Beyond 2^53 they are rounded: such a limit is never reached
 * and such an age never comes.
 */
export interface Bounds {
  /** ≤ 0 = unlimited, as the others. */
  readonly maxMsgs: number;
  readonly maxBytes: number;
  readonly maxMsgsPerSubject: number;
  readonly maxAgeMs: number;
  readonly duplicateWindowMs: number;
}

export function boundsOf(config: StreamConfig): Bounds {
  return {
    maxMsgs: Number(config.max_msgs),
    maxBytes: Number(config.max_bytes),
    maxMsgsPerSubject: Number(config.max_msgs_per_subject),
    maxAgeMs: Number(config.max_age) / 1_000_000,
    duplicateWindowMs: Number(config.duplicate_window ?? 0) / 1_000_000,
  };
}
