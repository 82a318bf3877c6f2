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

/** Whoever wants a profile of memory gets it with when it began. */
export interface HeapSamples {
  readonly profile: HeapProfiler.SamplingHeapProfile;
  readonly beganMs: number;
  readonly durationMs: number;
}

/** The session of this process, shared by its services: one of them that stops must not end the sampling of the others. */
let shared: { readonly profilers: Promise<V8Profilers>; users: number } | null = null;

/** What takes profiles for one service. V8's profilers exist once per process: one profile at a time, whichever service is asked. */
export class Profiler {
  readonly #profilers: V8Profilers;
  #isStopped = false;

  private constructor(profilers: V8Profilers) {
    this.#profilers = profilers;
  }

  /** Begins to sample the heap. */
  static async start(): Promise<Profiler> {
    shared ??= { profilers: V8Profilers.start(), users: 0 };
    const used = shared;
    used.users++;
    try {
      return new Profiler(await used.profilers);
    } catch (error) {
      if (shared === used) shared = null;
      throw error;
    }
  }

  /** Ends what is running, unless another service goes on: its answer fails. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (shared === null || --shared.users > 0) return;
    shared = null;
    this.#profilers.stop();
  }

  /** Samples what runs for so long, or until the signal. @throws ProfilerBusyError */
  async cpu(what: string, seconds: number, signal: AbortSignal): Promise<CpuSamples> {
    return this.#running().cpu(what, seconds, signal);
  }

  /**
   * What was allocated since the start (or the last `allocations`) and is still there.
   * @param collect collects garbage first, during which nothing else runs
   * @throws ProfilerBusyError
   */
  async heap(collect: boolean): Promise<HeapSamples> {
    return this.#running().heap(collect);
  }

  /** Everything that is allocated within so long, collected or not. `heap` begins anew afterwards. @throws ProfilerBusyError */
  async allocations(seconds: number, signal: AbortSignal): Promise<HeapSamples> {
    return this.#running().allocations(seconds, signal);
  }

  #running(): V8Profilers {
    if (this.#isStopped) throw new Error('no profiles any more: the service stops');
    return this.#profilers;
  }
}

/**
 * V8's profilers. Between `start` and `stop` the heap is sampled (every HEAP_SAMPLE_BYTES on average), because only what is allocated
 * meanwhile can be told by stack.
 */
class V8Profilers {
  readonly #session: Session;
  #busyWith: string | null = null;
  #heapSinceMs = 0;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<V8Profilers> {
    // Loaded only where profiles are asked for.
    const { Session: V8Session } = await import('node:inspector/promises');
    const session = new V8Session();
    session.connect();
    const profilers = new V8Profilers(session);
    await profilers.#startHeap(false);
    return profilers;
  }

  stop(): void {
    this.#session.disconnect();
  }

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

  heap(collect: boolean): Promise<HeapSamples> {
    return this.#alone('heap', async (session) => {
      if (collect) await session.post('HeapProfiler.collectGarbage');
      const { profile } = await session.post('HeapProfiler.getSamplingProfile');
      return { profile, beganMs: this.#heapSinceMs, durationMs: Date.now() - this.#heapSinceMs };
    });
  }

  allocations(seconds: number, signal: AbortSignal): Promise<HeapSamples> {
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
    if (this.#busyWith !== null) {
      throw new ProfilerBusyError(
        `a profile is being taken already (${this.#busyWith}), and there is only one at a time`,
      );
    }
    this.#busyWith = what;
    try {
      return await take(this.#session);
    } finally {
      this.#busyWith = null;
    }
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
}
