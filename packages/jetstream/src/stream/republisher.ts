import { isValidPublishSubject, SubjectTransform } from '@nats-ts/sublist';
import { formatTime } from '../json/go-time.ts';
import type { RepublishConfig } from './config.ts';
import type { Republish } from './outbox.ts';

const CRLF_BYTES = 2;

/** Sends stored messages out again under another subject (spec/jetstream.md 3.4 "republish"). */
export class Republisher {
  readonly #stream: string;
  readonly #transform: SubjectTransform;
  readonly #headersOnly: boolean;

  private constructor(stream: string, transform: SubjectTransform, headersOnly: boolean) {
    this.#stream = stream;
    this.#transform = transform;
    this.#headersOnly = headersOnly;
  }

  /** Null when the configuration republishes nothing. */
  static create(stream: string, config: RepublishConfig | undefined, random: () => number): Republisher | null {
    if (config === undefined || config.dest === '') return null;
    const transform = SubjectTransform.create(config.src, config.dest, { random });
    return new Republisher(stream, transform, config.headers_only === true);
  }

  /** Where a message on `subject` goes; null = nowhere. */
  target(subject: string): string | null {
    const target = this.#transform.apply(subject);
    return target !== null && isValidPublishSubject(target) ? target : null;
  }

  /** @param previousSeq last sequence of the subject before this one, 0 = none. Bytes are copied. */
  build(
    target: string,
    subject: string,
    seq: number,
    previousSeq: number,
    timeMs: number,
    timeNs: number,
    block: Buffer,
    payload: Buffer,
  ): Republish {
    const start = block.length === 0 ? 'NATS/1.0\r\n' : block.toString('latin1', 0, block.length - CRLF_BYTES);
    const lines =
      `Nats-Stream: ${this.#stream}\r\nNats-Subject: ${subject}\r\nNats-Sequence: ${seq}\r\n` +
      `Nats-Time-Stamp: ${formatTime(timeMs, timeNs)}\r\nNats-Last-Sequence: ${previousSeq}\r\n`;
    const size = this.#headersOnly ? `Nats-Msg-Size: ${payload.length}\r\n` : '';
    const header = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(`${lines}${size}\r\n`)]);
    return { subject: target, header, payload: this.#headersOnly ? Buffer.alloc(0) : Buffer.from(payload) };
  }
}
