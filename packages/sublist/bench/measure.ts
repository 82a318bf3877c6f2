/** What the benches share: time per call, the longest single call, and heap per item. */

/** Nanoseconds per call of `run`, the best of some rounds. */
export function nanosPerCall(calls: number, run: (index: number) => void, rounds = 5): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < calls; index++) run(index);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
  }
  return best;
}

/** Nanoseconds per call over all calls, and milliseconds of the longest one. */
export function eachCall(calls: number, run: (index: number) => void): { meanNs: number; longestMs: number } {
  let longestMs = 0;
  const start = performance.now();
  for (let index = 0; index < calls; index++) {
    const before = performance.now();
    run(index);
    longestMs = Math.max(longestMs, performance.now() - before);
  }
  return { meanNs: ((performance.now() - start) * 1e6) / calls, longestMs };
}

/** Bytes of heap in use after a full collection. Needs --expose-gc. */
export function heapBytes(): number {
  const gc = (globalThis as { gc?: () => void }).gc;
  if (gc === undefined) throw new Error('run with node --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** 22 characters, as a NUID has, different for every index and spread evenly. */
export function nuid(index: number): string {
  const hash = Math.imul(index + 1, 0x9e3779b1) >>> 0;
  return (
    hash.toString(36).padStart(7, '0') +
    (index * 7919).toString(36).padStart(7, 'x') +
    index.toString(36).padStart(8, 'q')
  );
}

/** A string of its own, as one read from the wire is. */
export function flat(subject: string): string {
  return Buffer.from(subject, 'latin1').toString('latin1');
}

export function report(title: string, figures: Record<string, string | number>): void {
  const text = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? value.toFixed(1) : value}`,
  );
  console.log(`${title.padEnd(46)} ${text.join('   ')}`);
}
