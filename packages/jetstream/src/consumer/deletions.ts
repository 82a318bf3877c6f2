import type { ConsumerStore } from '../store/store.ts';
import type { ConsumerStream } from '../stream/consumer-port.ts';

/** How long after the disk refused a removal is tried again by itself: the next start would find the consumer in service. */
export const DELETION_RETRY_MS = 5_000;

/** The files of a consumer that is out of service: being removed, or to be tried again. */
interface Deletion {
  readonly store: ConsumerStore;
  running: Promise<void> | null;
}

const deletions = new WeakMap<ConsumerStream, Map<string, Deletion>>();

/** Removes the files of a consumer that is out of service. Rejects when the disk refuses: `finishDeletion` tries again. */
export function deleteStore(stream: ConsumerStream, store: ConsumerStore): Promise<void> {
  const byName = deletions.get(stream) ?? new Map<string, Deletion>();
  deletions.set(stream, byName);
  const deletion: Deletion = { store, running: null };
  byName.set(store.name, deletion);
  return run(stream, byName, deletion);
}

/**
 * Resolves when nothing is left on disk of a consumer by that name that went before; false if there was none. Rejects when it
 * cannot be removed.
 */
export async function finishDeletion(stream: ConsumerStream, name: string): Promise<boolean> {
  const byName = deletions.get(stream);
  const deletion = byName?.get(name);
  if (byName === undefined || deletion === undefined) return false;
  await (deletion.running ?? run(stream, byName, deletion));
  return true;
}

function run(stream: ConsumerStream, byName: Map<string, Deletion>, deletion: Deletion): Promise<void> {
  // With the consumer goes what tells that its messages were acked: first they have to be gone for good.
  const settled = stream.config.retention === 'limits' ? Promise.resolve() : stream.settled();
  deletion.running = settled
    .then(() => deletion.store.delete())
    .then(() => {
      byName.delete(deletion.store.name);
    })
    .catch((error: unknown) => {
      retryLater(stream, byName, deletion);
      throw error;
    })
    .finally(() => {
      deletion.running = null;
    });
  return deletion.running;
}

function retryLater(stream: ConsumerStream, byName: Map<string, Deletion>, deletion: Deletion): void {
  stream.host.clock.setTimer(() => {
    const isLeft = byName.get(deletion.store.name) === deletion && deletion.running === null;
    if (isLeft && !stream.isClosed) run(stream, byName, deletion).catch(() => {});
  }, DELETION_RETRY_MS);
}
