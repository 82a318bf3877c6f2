/** A day; it only has to be there. */
const INTERVAL_MS = 86_400_000;

/** The same promise; the process does not end by itself before it is settled, though no socket or file is open any more. */
export async function keptAlive<T>(work: Promise<T>): Promise<T> {
  const interval = setInterval(() => {}, INTERVAL_MS);
  try {
    return await work;
  } finally {
    clearInterval(interval);
  }
}
