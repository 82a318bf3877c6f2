import { compileFilter } from '@nats-ts/sublist';
import type { Clock } from '../host.ts';
import { EncodedJson, encodeString } from '../json/encode.ts';
import { uncommittedOf } from './committed-state.ts';
import type { Stream } from './stream.ts';

/** Subjects on a page of STREAM.INFO with a subjects_filter. */
export const SUBJECTS_PAGE = 100_000;
/** Subjects of a page that are written in one turn of the event loop; the rest follows in the next. */
export const SUBJECTS_PER_TURN = 10_000;

/**
 * A page of the subjects that pass a filter, sorted, with their counts. What they are is taken down at once; putting that together takes
 * several turns (`encode`).
 */
export class SubjectsPage {
  /** How many subjects pass. */
  readonly total: number;
  /** The page as an object of JSON, once `encode` has resolved. */
  readonly json: EncodedJson = new EncodedJson();
  readonly #offset: number;
  readonly #subjects: string[] = [];
  readonly #counts = new Map<string, number>();

  /** @param offset subjects in front of the page. */
  constructor(stream: Stream, filter: string, offset: number) {
    this.#offset = offset;
    const uncommitted = uncommittedOf(stream)?.subjects;
    stream.messages.eachSubject(filter === '>' ? null : compileFilter([filter]), (subject, state) => {
      const count = state.count - (uncommitted?.get(subject) ?? 0);
      if (count === 0) return undefined;
      this.#subjects.push(subject);
      this.#counts.set(subject, count);
      return undefined;
    });
    this.total = this.#subjects.length;
  }

  get isEmpty(): boolean {
    return this.#offset >= this.total;
  }

  async encode(clock: Clock): Promise<void> {
    const turn = (): Promise<void> => new Promise((resolve) => clock.setTimer(resolve, 0));
    if (this.total > SUBJECTS_PER_TURN) await turn();
    this.#subjects.sort();
    const end = Math.min(this.total, this.#offset + SUBJECTS_PAGE);
    let text = '';
    for (let at = this.#offset; at < end; at++) {
      if (at > this.#offset && (at - this.#offset) % SUBJECTS_PER_TURN === 0) await turn();
      const subject = this.#subjects[at]!;
      text += `${text === '' ? '' : ','}${encodeString(subject)}:${this.#counts.get(subject)}`;
    }
    this.json.text = `{${text}}`;
  }
}
