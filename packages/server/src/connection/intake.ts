import type { Socket } from 'node:net';
import type { ServerParser } from '@nats-ts/protocol';
import { ORIGIN_ELSEWHERE } from '../delivery/message-frame.ts';
import { goDurationOfMs } from '../go-format.ts';
import type { PublisherHold } from '../internal-message.ts';
import { HELD_BYTES_MAX, STALL_MAX_MS, STALL_MIN_MS, TURN_MS, TURN_WORK_PER_LOOK } from '../limits.ts';
import type { Timer } from '../ports.ts';
import type { Connection } from './connection.ts';
import { endFailed, endHeldTooMuch } from './endings.ts';

/** A chunk that takes longer to work off is worth a line in the log. As nats-server. */
const SLOW_CHUNK_MS = 2000;
/** Milliseconds a producer waits per chunk at most, however many of its consumers are behind. As nats-server. */
const STALL_TOTAL_MS = 10;

/**
 * What comes in from one socket: chunks go to the parser, unless a password is still being verified (then they are
 * held), a consumer is so far behind that its producers are slowed (then the socket is not read for a moment), somebody
 * inside the process cannot keep up with what this client sends (then it is not read until they have), or this client
 * has had its turn: libuv reads a busy socket up to 32 times in a row, and one chunk can hold thousands of messages for
 * thousands of subscribers each, while everybody else waits. Then the others go first.
 */
export class Intake {
  readonly #connection: Connection;
  readonly #parser: ServerParser;
  #socket: Socket;
  /** The chunk that is being worked off. */
  #chunk: Buffer | null = null;
  #origin: number = ORIGIN_ELSEWHERE;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isHolding = false;
  /** Holds that are not released yet. */
  #holds = 0;
  /** What was received waits for the next turn of the event loop. */
  #isYielding = false;
  /** Milliseconds this client has had since it last let the others go first. */
  #turnMs = 0;
  /** When the chunk that is being worked off arrived. */
  #startedMs = 0;
  /** Work done since the clock was last looked at. */
  #workUnits = 0;
  #stallMs = 0;
  #stallTimer: Timer | null = null;
  #stalledSinceMs = 0;
  #isPaused = false;
  #isOver = false;

  constructor(connection: Connection, parser: ServerParser, socket: Socket) {
    this.#connection = connection;
    this.#parser = parser;
    this.#socket = socket;
  }

  /** The connection goes on over TLS. */
  setSocket(socket: Socket): void {
    this.#socket = socket;
  }

  /**
   * One chunk as it was read; not kept unless copied.
   * @param origin its address in the arena, or `ORIGIN_ELSEWHERE`.
   */
  receive(chunk: Buffer, origin: number): void {
    this.#origin = origin;
    if (this.#isOver) return;
    if (this.#isWaiting) this.#hold(chunk);
    else this.#work(chunk);
  }

  /** Where `buffer` of a parsed message is: in the chunk that is being worked off, or where its pieces were put together. */
  originOf(buffer: Buffer): number {
    return buffer === this.#chunk ? this.#origin : this.#connection.context.frames.originOf(buffer);
  }

  /** Nothing more is parsed until `release`. */
  hold(): void {
    this.#isHolding = true;
    this.#parser.pause();
    this.#updatePause();
  }

  /** Goes on with what was held. */
  release(): void {
    this.#isHolding = false;
    this.#goOn();
  }

  /** Nothing more is read or parsed until the hold is released, and then not before the next turn. */
  shut(): PublisherHold {
    this.#holds++;
    this.#parser.pause();
    this.#updatePause();
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#open();
      },
    };
  }

  /** Somebody inside the process keeps it from being heard. */
  get isShut(): boolean {
    return this.#holds > 0;
  }

  #open(): void {
    this.#holds--;
    if (this.#holds > 0 || this.#isOver) return;
    this.#connection.pinger.excuse();
    if (!this.#isYielding) this.#yield();
  }

  /**
   * Something that costs more than most was done for this client: deliveries, a subscription, a subject looked up.
   * Every so often the clock tells whether its turn is over; if so, the rest of the chunk is left for the next one.
   */
  worked(units: number): void {
    this.#workUnits += units;
    if (this.#workUnits < TURN_WORK_PER_LOOK) return;
    this.#workUnits = 0;
    if (this.#isYielding || this.#chunk === null) return;
    const spentMs = this.#connection.context.clock.monotonicMs() - this.#startedMs;
    if (this.#turnMs + spentMs >= TURN_MS) this.#yield();
  }

  /** The others go first. Called in the middle of a chunk, the rest of it is held. */
  #yield(): void {
    this.#isYielding = true;
    this.#turnMs = 0;
    this.#parser.pause();
    this.#connection.context.clock.setTimer(() => {
      this.#isYielding = false;
      this.#goOn();
    }, 0);
    this.#updatePause();
  }

  /** What is received now waits for something. */
  get #isWaiting(): boolean {
    return this.#isHolding || this.#isYielding || this.#holds > 0;
  }

  #goOn(): void {
    if (this.#isOver || this.#isWaiting) return;
    this.#parser.resume();
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) this.receive(chunk, ORIGIN_ELSEWHERE);
    this.#updatePause();
  }

  /** A consumer is behind: this producer waits a little after the present chunk. */
  stall(isConsumerFull: boolean): void {
    this.#stallMs = Math.min(STALL_TOTAL_MS, this.#stallMs + (isConsumerFull ? STALL_MAX_MS : STALL_MIN_MS));
  }

  /** The consumer caught up. */
  unstall(): void {
    if (this.#stallTimer === null) return;
    this.#stallTimer.cancel();
    this.#stallTimer = null;
    this.#updatePause();
    const { context, log, account } = this.#connection;
    const stalledMs = Math.round(context.clock.monotonicMs() - this.#stalledSinceMs);
    if (stalledMs < STALL_MAX_MS) return;
    log.warnRateLimited('stalled', `Producer was stalled for a total of ${stalledMs}ms`, account.name);
  }

  /** Nothing more comes, or nothing more is wanted. */
  stop(): void {
    this.#isOver = true;
    this.#held = [];
    this.#stallTimer?.cancel();
    this.#stallTimer = null;
    this.#parser.stop();
  }

  #work(chunk: Buffer): void {
    const connection = this.#connection;
    const { clock, flushQueue } = connection.context;
    const msgsBefore = connection.inMsgs;
    const startedMs = clock.monotonicMs();
    this.#startedMs = startedMs;
    flushQueue.enter();
    this.#chunk = chunk;
    try {
      const used = this.#parser.parse(chunk);
      if (this.#isWaiting && used < chunk.length) this.#hold(chunk.subarray(used));
      if (connection.inMsgs !== msgsBefore) connection.wasActive();
    } catch (error) {
      endFailed(connection, error);
    } finally {
      this.#chunk = null;
      flushQueue.leave();
    }
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs > SLOW_CHUNK_MS) connection.log.warn(`Readloop processing time: ${goDurationOfMs(tookMs)}`);
    if (this.#stallMs > 0) this.#wait();
    if (this.#isYielding || this.#isOver) return;
    this.#turnMs += tookMs;
    if (this.#turnMs >= TURN_MS) this.#yield();
  }

  #hold(chunk: Buffer): void {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_BYTES_MAX) {
      endHeldTooMuch(this.#connection);
      return;
    }
    this.#held.push(Buffer.from(chunk));
  }

  #wait(): void {
    const waitMs = this.#stallMs;
    this.#stallMs = 0;
    if (this.#isOver || this.#stallTimer !== null) return;
    const connection = this.#connection;
    this.#stalledSinceMs = connection.context.clock.monotonicMs();
    this.#stallTimer = connection.context.clock.setTimer(() => {
      connection.log.debug(`Timed out of fast producer stall (${waitMs}ms)`);
      this.unstall();
    }, waitMs);
    this.#updatePause();
  }

  #updatePause(): void {
    const isPaused = this.#isWaiting || this.#stallTimer !== null;
    if (isPaused === this.#isPaused || this.#isOver) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }
}
