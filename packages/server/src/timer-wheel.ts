import type { Clock, Timer } from './ports.ts';

/** Something that is due at some time; belongs to one wheel at most. */
export class WheelTimer {
  readonly callback: () => void;
  /** @internal */ slot = -1;
  /** @internal */ due = 0;
  /** @internal */ previous: WheelTimer | null = null;
  /** @internal */ next: WheelTimer | null = null;

  constructor(callback: () => void) {
    this.callback = callback;
  }

  /** True while it waits in a wheel. */
  get isSet(): boolean {
    return this.slot >= 0;
  }
}

const SLOTS = 512;

/**
 * Many timers, one clock timer: setting and clearing one costs a few assignments, and nothing runs while none is set.
 * Timers fire up to one tick late, never early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #heads: (WheelTimer | null)[] = new Array<WheelTimer | null>(SLOTS).fill(null);
  readonly #wake: () => void = () => this.#advance();
  #count = 0;
  /** Ticks that have been worked off. */
  #tick = 0;
  #timer: Timer | null = null;
  /** Tick the clock timer is set for. */
  #wakeTick = 0;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Timers that are set. */
  get size(): number {
    return this.#count;
  }

  /** Calls `timer.callback` once after `delayMs`; a timer that is set already is moved. */
  set(timer: WheelTimer, delayMs: number): void {
    this.clear(timer);
    if (this.#count === 0) this.#tick = this.#nowTick();
    // One tick more than the delay, because the present one has begun already.
    const due = this.#nowTick() + Math.max(1, Math.ceil(delayMs / this.#tickMs)) + 1;
    timer.due = due;
    const slot = due % SLOTS;
    timer.slot = slot;
    const head = this.#heads[slot]!;
    timer.next = head;
    timer.previous = null;
    if (head !== null) head.previous = timer;
    this.#heads[slot] = timer;
    this.#count++;
    if (this.#timer === null || due < this.#wakeTick) this.#arm(due);
  }

  /** Unsets it; no effect if it is not set. */
  clear(timer: WheelTimer): void {
    if (timer.slot < 0) return;
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#heads[timer.slot] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.slot = -1;
    this.#count--;
    if (this.#count === 0) this.stop();
  }

  /** Stops the clock timer, for good unless another timer is set. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #nowTick(): number {
    return Math.floor(this.#clock.monotonicMs() / this.#tickMs);
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#wakeTick = tick;
    const delayMs = tick * this.#tickMs - this.#clock.monotonicMs();
    this.#timer = this.#clock.setTimer(this.#wake, Math.max(1, Math.ceil(delayMs)));
  }

  #advance(): void {
    this.#timer = null;
    const now = this.#nowTick();
    while (this.#tick < now && this.#count > 0) {
      this.#tick++;
      this.#fire(this.#tick);
    }
    if (this.#count === 0) return;
    this.#arm(this.#nextOccupied());
  }

  #fire(tick: number): void {
    // Collected first: a callback may set or clear any timer, itself included.
    let expired: WheelTimer[] | null = null;
    for (let timer = this.#heads[tick % SLOTS]!; timer !== null; timer = timer.next!) {
      if (timer.due > tick) continue;
      if (expired === null) expired = [timer];
      else expired.push(timer);
    }
    if (expired === null) return;
    for (const timer of expired) {
      // Cleared or moved by a callback before it.
      if (timer.slot < 0 || timer.due > tick) continue;
      this.clear(timer);
      timer.callback();
    }
  }

  #nextOccupied(): number {
    for (let distance = 1; distance <= SLOTS; distance++) {
      if (this.#heads[(this.#tick + distance) % SLOTS] !== null) return this.#tick + distance;
    }
    return this.#tick + SLOTS;
  }
}
