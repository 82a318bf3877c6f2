import { isValidPublishSubject, SubjectTransform } from '@nats-ts/sublist';
import type { RepublishConfig } from './config.ts';
import type { Republish } from './outbox.ts';
import { extendBlock } from './stored-headers.ts';

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
    const size = this.#headersOnly ? `Nats-Msg-Size: ${payload.length}\r\n` : '';
    const more = `Nats-Last-Sequence: ${previousSeq}\r\n${size}`;
    const header = extendBlock(block, this.#stream, subject, seq, timeMs, timeNs, more);
    return { subject: target, header, payload: this.#headersOnly ? Buffer.alloc(0) : Buffer.from(payload) };
  }
}
