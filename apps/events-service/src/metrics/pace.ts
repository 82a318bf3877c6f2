/** Longest stretch of work in one turn of the event loop. */
const SLICE_MS = 4;

/** Lets a long piece of work pause, so that clients are served in between. */
export class Pace {
  #until = performance.now() + SLICE_MS;

  /** Time for a pause: `if (pace.isDue) await pace.pause()`. */
  get isDue(): boolean {
    return performance.now() > this.#until;
  }

  async pause(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#until = performance.now() + SLICE_MS;
  }
}
