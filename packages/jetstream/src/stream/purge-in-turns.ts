import { apiError } from '../errors/api-error.ts';
import type { Stream } from './stream.ts';

/** Messages a purge removes in one turn of the event loop (some ten milliseconds); the rest follows in the next. */
export const PURGE_CHUNK = 10_000;

/**
 * As `Stream.purge`, with turns for everybody else in between. What is published meanwhile stays; the newest `keep` are those at the
 * end. Resolves how many went. Rejects with an ApiError when the store failed, or the stream was deleted, before it was done: what was
 * removed until then stays removed.
 */
export async function purgeInTurns(
  stream: Stream,
  subjects: readonly string[] | null,
  belowSeq: number,
  keep: number,
): Promise<number> {
  const end = stream.messages.lastSeq + 1;
  // All of it goes at once, whatever it is.
  if (subjects === null && keep === 0 && (belowSeq === 0 || belowSeq >= end)) return stream.purge(null, belowSeq, 0);
  const bound = belowSeq === 0 ? end : Math.min(belowSeq, end);
  let purged = 0;
  for (;;) {
    const removed = stream.purge(subjects, bound, keep, PURGE_CHUNK);
    purged += removed;
    if (removed < PURGE_CHUNK) return purged;
    await new Promise<void>((resolve) => stream.host.clock.setTimer(resolve, 0));
    if (stream.isClosed) throw apiError('StreamNotFound');
  }
}
