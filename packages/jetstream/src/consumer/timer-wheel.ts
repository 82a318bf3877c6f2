import type { Clock, Timer } from '../host.ts';

/** Slots of one level; each level's slot is as long as the whole level below it. */
const SLOTS = 64;

/** Levels of 1 ms, 64 ms, 4 s, 4.4 min, 4.7 h, 12.4 d and 2.2 y; what is due later waits in the last one. */
const LEVELS = 7;

const LEVEL_MS: readonly number[] = Array.from({ length: LEVELS }, (_, level) => SLOTS ** level);

/** Farthest a node can be placed ahead of the wheel's own time, milliseconds. */
const HORIZON_MS: number = SLOTS ** LEVELS - 1;

/** Longest wait for a timer: Node fires longer ones at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Something that is due at a time. It is in one slot of a wheel at most; removing it costs nothing and leaves nothing. */
export abstract class WheelNode {
  /** When, milliseconds since the epoch. */
  dueMs = 0;
  /** @internal Neighbours in the slot, and the slot; -1 = in no wheel. */
  slotBefore: WheelNode | null = null;
  /** @internal */
  slotAfter: WheelNode | null = null;
  /** @internal */
  slot = -1;

  get isArmed(): boolean {
    return this.slot >= 0;
  }

  /** Called once when due; the node is out of the wheel by then and may be armed again. */
  abstract onDue(nowMs: number): void;
}

/** Gets a word after all nodes due at one tick were called. */
export interface TickListener {
  onTickEnd(nowMs: number): void;
}

/**
 * A hierarchical timer wheel: any number of deadlines, one timer of the host. Arming and removing cost the same whether
 * ten or a million are armed. Nodes due in the same millisecond are called in the order they were armed; never before
 * their time.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #heads: (WheelNode | null)[] = new Array<WheelNode | null>(SLOTS * LEVELS).fill(null);
  readonly #tails: (WheelNode | null)[] = new Array<WheelNode | null>(SLOTS * LEVELS).fill(null);
  readonly #counts: number[] = new Array<number>(LEVELS).fill(0);
  readonly #listeners: TickListener[] = [];
  /** Everything due up to here was called. */
  #nowMs: number;
  #timer: Timer | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #isTurning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nowMs = clock.now();
  }

  /** Nodes in the wheel. */
  get size(): number {
    let size = 0;
    for (const count of this.#counts) size += count;
    return size;
  }

  /** Arms the node for `dueMs` (the past counts as the next millisecond), whatever it was armed for before. */
  arm(node: WheelNode, dueMs: number): void {
    if (node.slot >= 0) this.#unlink(node);
    if (this.#timer === null && !this.#isTurning) this.#catchUp();
    node.dueMs = dueMs;
    this.#place(node);
    if (dueMs < this.#timerDueMs && !this.#isTurning) this.#schedule();
  }

  /** Takes the node out; nothing happens if it is not in. */
  disarm(node: WheelNode): void {
    if (node.slot >= 0) this.#unlink(node);
  }

  /** Calls the listener once when the running tick is over. Outside of a tick nothing is called. */
  afterTick(listener: TickListener): void {
    if (this.#isTurning) this.#listeners.push(listener);
  }

  /** With nothing armed the wheel's time stood still; nothing lies in between, so it may jump. */
  #catchUp(): void {
    if (this.size === 0) this.#nowMs = Math.max(this.#nowMs, this.#clock.now());
  }

  #place(node: WheelNode): void {
    const dueMs = Math.min(Math.max(node.dueMs, this.#nowMs + 1), this.#nowMs + HORIZON_MS);
    const delayMs = dueMs - this.#nowMs;
    let level = 0;
    while (level < LEVELS - 1 && delayMs >= LEVEL_MS[level + 1]!) level++;
    const slot = level * SLOTS + (Math.floor(dueMs / LEVEL_MS[level]!) % SLOTS);
    const tail = this.#tails[slot]!;
    node.slot = slot;
    node.slotBefore = tail;
    node.slotAfter = null;
    if (tail === null) this.#heads[slot] = node;
    else tail.slotAfter = node;
    this.#tails[slot] = node;
    this.#counts[level]!++;
  }

  #unlink(node: WheelNode): void {
    const { slot, slotBefore, slotAfter } = node;
    if (slotBefore === null) this.#heads[slot] = slotAfter;
    else slotBefore.slotAfter = slotAfter;
    if (slotAfter === null) this.#tails[slot] = slotBefore;
    else slotAfter.slotBefore = slotBefore;
    this.#counts[Math.floor(slot / SLOTS)]!--;
    node.slot = -1;
    node.slotBefore = null;
    node.slotAfter = null;
  }

  /** Start of the next slot that holds something; infinite when the wheel is empty. */
  #nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVELS; level++) {
      if (this.#counts[level] === 0) continue;
      const unitMs = LEVEL_MS[level]!;
      const unit = Math.floor(this.#nowMs / unitMs);
      let distance = 1;
      while (this.#heads[level * SLOTS + ((unit + distance) % SLOTS)] === null) distance++;
      nextMs = Math.min(nextMs, (unit + distance) * unitMs);
    }
    return nextMs;
  }

  #schedule(): void {
    const nextMs = this.#nextMs();
    if (this.#timer !== null && this.#timerDueMs === nextMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerDueMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(
      () => this.#onTimer(),
      Math.min(Math.max(1, nextMs - this.#clock.now()), TIMER_MAX_MS),
    );
  }

  #onTimer(): void {
    this.#timer = null;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#isTurning = true;
    const nowMs = this.#clock.now();
    try {
      for (let nextMs = this.#nextMs(); nextMs <= nowMs; nextMs = this.#nextMs()) {
        this.#nowMs = nextMs;
        this.#cascade();
        this.#fire(nowMs);
      }
      this.#nowMs = Math.max(this.#nowMs, nowMs);
      for (let at = 0; at < this.#listeners.length; at++) this.#listeners[at]!.onTickEnd(nowMs);
    } finally {
      this.#listeners.length = 0;
      this.#isTurning = false;
      this.#schedule();
    }
  }

  /** At the start of a higher level's slot its nodes move down to finer ones. */
  #cascade(): void {
    for (let level = LEVELS - 1; level > 0; level--) {
      const unitMs = LEVEL_MS[level]!;
      if (this.#nowMs % unitMs !== 0 || this.#counts[level] === 0) continue;
      const slot = level * SLOTS + ((this.#nowMs / unitMs) % SLOTS);
      let node = this.#take(slot);
      while (node !== null) {
        const after: WheelNode | null = node.slotAfter;
        // Due right now: into the slot that is fired next, where an ordinary placement would add a millisecond.
        if (node.dueMs <= this.#nowMs) this.#placeNow(node);
        else this.#place(node);
        node = after;
      }
    }
  }

  #placeNow(node: WheelNode): void {
    const nowMs = this.#nowMs;
    this.#nowMs = nowMs - 1;
    this.#place(node);
    this.#nowMs = nowMs;
  }

  #fire(nowMs: number): void {
    const slot = this.#nowMs % SLOTS;
    // One by one: a callback may disarm the others.
    for (;;) {
      const node = this.#heads[slot] ?? null;
      if (node === null) return;
      this.#unlink(node);
      node.onDue(nowMs);
    }
  }

  /** Empties a slot and returns its first node; the chain stays linked. */
  #take(slot: number): WheelNode | null {
    const head = this.#heads[slot]!;
    let count = 0;
    for (let node: WheelNode | null = head; node !== null; node = node.slotAfter) {
      node.slot = -1;
      count++;
    }
    this.#counts[Math.floor(slot / SLOTS)]! -= count;
    this.#heads[slot] = null;
    this.#tails[slot] = null;
    return head;
  }
}

const wheels = new WeakMap<Clock, TimerWheel>();

/** The wheel that all consumers of one host share. */
export function sharedWheel(clock: Clock): TimerWheel {
  let wheel = wheels.get(clock);
  if (wheel === undefined) {
    wheel = new TimerWheel(clock);
    wheels.set(clock, wheel);
  }
  return wheel;
}
