import type { HeapProfiler, Profiler as V8Profiler } from 'node:inspector';
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between two samples of what runs. */
export const CPU_SAMPLE_US = 1_000;
/** Bytes between two samples of the heap, on average. As in Go. */
export const HEAP_SAMPLE_BYTES: number = 512 * 1024;

/** A profile is being taken already. */
export class ProfilerBusyError extends Error {}

/** What runs, for some time. */
export interface CpuSamples {
  readonly profile: V8Profiler.Profile;
  readonly beganMs: number;
  readonly durationMs: number;
}

/**
 * V8's profilers, of which each exists once per process: one profile at a time. Between `start` and `stop` the heap is sampled (every
 * HEAP_SAMPLE_BYTES on average), because only what is allocated meanwhile can be told by stack.
 */
export class Profiler {
  readonly #session: Session;
  #isStopped = false;
  #running: string | null = null;
  #heapSinceMs = 0;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Begins to sample the heap. */
  static async start(): Promise<Profiler> {
    // Loaded only where profiles are asked for.
    const { Session: V8Session } = await import('node:inspector/promises');
    const session = new V8Session();
    session.connect();
    const profiler = new Profiler(session);
    await profiler.#startHeap(false);
    return profiler;
  }

  /** Ends what is running: its answer fails. */
  stop(): void {
    this.#isStopped = true;
    this.#session.disconnect();
  }

  /** Samples what runs for so long, or until the signal. @throws ProfilerBusyError */
  cpu(what: string, seconds: number, signal: AbortSignal): Promise<CpuSamples> {
    return this.#alone(`${what} of ${seconds} s`, async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: CPU_SAMPLE_US });
      await session.post('Profiler.start');
      const began = performance.now();
      const beganMs = Date.now();
      await pause(seconds, signal);
      const { profile } = await session.post('Profiler.stop');
      await session.post('Profiler.disable');
      return { profile, beganMs, durationMs: performance.now() - began };
    });
  }

  /**
   * What was allocated since the start (or the last `allocations`) and is still there.
   * @param collect collects garbage first, during which nothing else runs
   * @throws ProfilerBusyError
   */
  heap(collect: boolean): Promise<{ profile: HeapProfiler.SamplingHeapProfile; beganMs: number; durationMs: number }> {
    return this.#alone('heap', async (session) => {
      if (collect) await session.post('HeapProfiler.collectGarbage');
      const { profile } = await session.post('HeapProfiler.getSamplingProfile');
      return { profile, beganMs: this.#heapSinceMs, durationMs: Date.now() - this.#heapSinceMs };
    });
  }

  /** Everything that is allocated within so long, collected or not. `heap` begins anew afterwards. @throws ProfilerBusyError */
  allocations(
    seconds: number,
    signal: AbortSignal,
  ): Promise<{ profile: HeapProfiler.SamplingHeapProfile; beganMs: number; durationMs: number }> {
    return this.#alone(`allocs of ${seconds} s`, async (session) => {
      await session.post('HeapProfiler.stopSampling');
      await this.#startHeap(true);
      const beganMs = Date.now();
      await pause(seconds, signal);
      const { profile } = await session.post('HeapProfiler.stopSampling');
      await this.#startHeap(false);
      return { profile, beganMs, durationMs: Date.now() - beganMs };
    });
  }

  async #startHeap(withCollected: boolean): Promise<void> {
    this.#heapSinceMs = Date.now();
    await this.#session.post('HeapProfiler.startSampling', {
      samplingInterval: HEAP_SAMPLE_BYTES,
      includeObjectsCollectedByMajorGC: withCollected,
      includeObjectsCollectedByMinorGC: withCollected,
    });
  }

  async #alone<T>(what: string, take: (session: Session) => Promise<T>): Promise<T> {
    if (this.#isStopped) throw new Error('no profiles any more: the service stops');
    if (this.#running !== null) {
      throw new ProfilerBusyError(
        `a profile is being taken already (${this.#running}), and there is only one at a time`,
      );
    }
    this.#running = what;
    try {
      return await take(this.#session);
    } finally {
      this.#running = null;
    }
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
}
