import type { JetStreamObserver } from '@nats-ts/natsd';

/**
 * Tells figures and spans of the same syncs and recoveries. Both take the time at which something began, by the monotonic clock,
 * for the number that comes back when it ends. The other groups have one observer each.
 */
export function joinObservers(
  figures: Pick<Required<JetStreamObserver>, 'syncs' | 'recovery'> & JetStreamObserver,
  spans: JetStreamObserver | undefined,
): JetStreamObserver {
  if (spans === undefined) return figures;
  const { syncs, recovery } = spans;
  return {
    ...figures,
    ...spans,
    syncs: {
      syncBegan: (account, stream) => figures.syncs.syncBegan(account, stream),
      syncEnded(began, account, stream, bytes, messages, error) {
        figures.syncs.syncEnded(began, account, stream, bytes, messages, error);
        syncs?.syncEnded(began, account, stream, bytes, messages, error);
      },
    },
    recovery: {
      recoveryBegan: (account, stream) => figures.recovery.recoveryBegan(account, stream),
      recoveryEnded(began, account, stream, findings) {
        figures.recovery.recoveryEnded(began, account, stream, findings);
        recovery?.recoveryEnded(began, account, stream, findings);
      },
    },
  };
}
