import type { Clock, HostMessage } from '../host.ts';
import { RequestHolds } from './request-holds.ts';

/** Milliseconds of requests in a row before everything else in the process gets its turn. */
export const REQUESTS_TURN_MS = 20;
/** Requests under way at once, of lanes that do not get into each other's way. */
export const REQUESTS_AT_ONCE_MAX = 8;

/** Requests that have begun and still take up room in the queue. */
const BEGUN_MAX = 1024;

/**
 * Requests that wait for their turn, begun one after the other. `run` may answer later (a promise): the next request begins when it
 * has settled, so that the order within the queue is kept. Those in a lane of their own need not wait for each other: what they wait
 * for is the disk, which does for many at once what it does for one.
 */
export class RequestQueue<T> {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #run: (item: T) => void | Promise<void>;
  readonly #onOverflow: (dropped: number) => void;
  readonly #onError: (error: unknown) => void;
  readonly #laneOf: (item: T) => string | null;
  readonly #clientOf: (item: T) => number;
  readonly #holds: RequestHolds;
  #items: T[] = [];
  /** Index of the next one to run. */
  #head = 0;
  #isScheduled = false;
  /** One that nothing may run beside is under way. */
  #isAlone = false;
  /** Lanes of those under way. */
  readonly #lanes = new Set<string>();
  #turnEndMs = 0;

  /**
   * @param limit when so many wait, all of them are dropped and `onOverflow` is told how many.
   * @param onError told what `run` throws or rejects with; the next request starts all the same.
   * @param laneOf `S` or `S/C`: the request may run beside those of other lanes, but one of S/C does not begin before those of S have ended.
   * Null = it runs beside none.
   * @param clientOf number of the client it came from.
   */
  constructor(
    limit: number,
    clock: Clock,
    run: (item: T) => void | Promise<void>,
    onOverflow: (dropped: number) => void,
    onError: (error: unknown) => void,
    laneOf: (item: T) => string | null = () => null,
    clientOf: (item: T) => number = () => 0,
  ) {
    this.#limit = limit;
    this.#clock = clock;
    this.#run = run;
    this.#onOverflow = onOverflow;
    this.#onError = onError;
    this.#laneOf = laneOf;
    this.#clientOf = clientOf;
    this.#holds = new RequestHolds(limit);
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** @param message what the request came with. */
  push(item: T, message: Pick<HostMessage, 'holdPublisher'>): void {
    this.#items.push(item);
    const waiting = this.length;
    this.#holds.pushed(this.#clientOf(item), message, waiting);
    if (waiting < this.#limit) {
      this.#wake();
      return;
    }
    this.clear();
    this.#onOverflow(waiting);
  }

  /** Drops what waits; what runs goes on. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#holds.clear();
  }

  #wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.setTimer(() => {
      this.#isScheduled = false;
      this.#turnEndMs = this.#clock.now() + REQUESTS_TURN_MS;
      this.#drain();
    }, 0);
  }

  /** What one request throws must not stop the others. */
  #runOne(item: T): void | Promise<void> {
    try {
      return this.#run(item)?.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  #drain(): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head]!;
      const lane = this.#laneOf(item);
      // It is asked again when one of those under way has ended.
      if (!this.#mayBegin(lane)) return;
      this.#take(item);
      const pending = this.#runOne(item);
      if (pending !== undefined) this.#began(lane, pending);
      if (this.#clock.now() >= this.#turnEndMs) break;
    }
    if (this.length === 0) this.clear();
    else this.#wake();
  }

  #take(item: T): void {
    this.#head++;
    // A flood that is held back never lets the queue run empty.
    if (this.#head >= BEGUN_MAX && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    this.#holds.taken(this.#clientOf(item), this.length);
  }

  #mayBegin(lane: string | null): boolean {
    if (this.#isAlone) return false;
    if (lane === null) return this.#lanes.size === 0;
    const [stream = ''] = lane.split('/', 1);
    return this.#lanes.size < REQUESTS_AT_ONCE_MAX && !this.#lanes.has(lane) && !this.#lanes.has(stream);
  }

  #began(lane: string | null, pending: Promise<void>): void {
    if (lane === null) this.#isAlone = true;
    else this.#lanes.add(lane);
    void pending.then(() => {
      if (lane === null) this.#isAlone = false;
      else this.#lanes.delete(lane);
      if (this.length === 0 || this.#isScheduled) return;
      if (this.#clock.now() < this.#turnEndMs) this.#drain();
      else this.#wake();
    });
  }
}
