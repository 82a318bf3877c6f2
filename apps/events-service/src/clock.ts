/** Time, injected so that tests move it by hand. */
export interface Clock {
  /** Calls back once after `delayMs` milliseconds. Does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): { cancel(): void };
}

/** The machine's own time. */
export const SYSTEM_CLOCK: Clock = {
  setTimer(callback, delayMs) {
    const timeout = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
