/** Time, injected so that tests move it by hand. */
export interface RegistryClock {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Calls back once after `delayMs` milliseconds. */
  setTimer(callback: () => void, delayMs: number): { cancel(): void };
}

/** The machine's own time. Its timers do not keep the process alive. */
export const systemClock: RegistryClock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
