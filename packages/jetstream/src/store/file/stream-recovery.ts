import type { StreamRecovery } from '../../observer.ts';
import type { ClosableMessages } from './open-messages.ts';

/** What opening a stream found, for whoever watches. @param offline why it cannot run, or null. */
export function streamRecovery(
  messages: ClosableMessages | null,
  offline: string | null,
  durationMs: number,
): StreamRecovery {
  const found = messages?.recovery;
  return {
    offline,
    messages: messages?.messages ?? 0,
    fromIndex: found?.fromIndex ?? false,
    lostMessages: found?.lostSeqs.length ?? 0,
    lostBytes: found?.lostBytes ?? 0,
    damagedBlocks: found?.healedBlocks.length ?? 0,
    repairedRecords: found?.repairedRecords ?? 0,
    tornBytes: found?.tornBytes ?? 0,
    durationMs,
  };
}
