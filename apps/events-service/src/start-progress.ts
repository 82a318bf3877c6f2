import type { EmbeddedJetStream } from '@nats-ts/natsd';
import type { Clock } from './clock.ts';

type ProgressObserver = NonNullable<NonNullable<EmbeddedJetStream['observer']>['progress']>;

/** Milliseconds between two lines about a recovery that takes long. */
export const PROGRESS_INTERVAL_MS = 3_000;
/** Streams being read that a line names; the store reads no more at once. Others are left out of the line. */
export const STREAMS_NAMED_MAX = 4;

/** Says every few seconds how far the recovery of a large store has come; a quick one says nothing. */
export class StartProgress implements ProgressObserver {
  readonly #clock: Clock;
  readonly #say: (text: string) => void;
  readonly #reading = new Map<string, { blocks: number; total: number }>();
  #streams = 0;
  #done = 0;
  #messages = 0;
  #timer: { cancel(): void } | null = null;

  constructor(clock: Clock, say: (text: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  start(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#say(this.text);
      this.start();
    }, PROGRESS_INTERVAL_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** `recovering: 3 of 12 streams, 4711 messages; reading main-queue (120 of 340 blocks)` */
  get text(): string {
    const reading = [...this.#reading.entries()]
      .slice(0, STREAMS_NAMED_MAX)
      .map(([stream, { blocks, total }]) => `${stream} (${blocks} of ${total} blocks)`);
    const now = reading.length === 0 ? '' : `; reading ${reading.join(', ')}`;
    return `recovering: ${this.#done} of ${this.#streams} streams, ${this.#messages} messages${now}`;
  }

  streamsFound(_account: string, streams: number): void {
    this.#streams += streams;
  }

  blocksRead(_account: string, stream: string, blocks: number, blocksTotal: number): void {
    this.#reading.set(stream, { blocks, total: blocksTotal });
  }

  streamRead(_account: string, stream: string, messages: number): void {
    this.#reading.delete(stream);
    this.#done++;
    this.#messages += messages;
  }
}
