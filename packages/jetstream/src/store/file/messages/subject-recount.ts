import { subjectByteLength, subjectFromBytes } from '@nats-ts/protocol';
import type { SubjectState } from '../../store.ts';
import type { Block } from './block.ts';
import { RECORD_HEAD_BYTES, subjectLength } from './record.ts';
import type { StreamLog } from './stream-log.ts';
import type { SubjectEntry } from './subject-table.ts';

/** Counts the messages of every subject again, from the blocks themselves. For after damage: it reads all of them. */
export class SubjectRecount {
  readonly #state: StreamLog;
  readonly #load: (block: Block) => void;

  constructor(state: StreamLog, load: (block: Block) => void) {
    this.#state = state;
    this.#load = load;
  }

  run(): void {
    const counted = new Map<string, SubjectState>();
    for (const block of [...this.#state.blocks]) {
      if (block.retired || block.messages === 0) continue;
      this.#load(block);
      this.#count(block, counted);
      block.subjects = null;
    }
    this.#correct(counted);
  }

  #count(block: Block, counted: Map<string, SubjectState>): void {
    for (const segment of [block.read, block.written]) {
      for (let at = 0; at < (segment?.count ?? 0); at++) {
        // What the index says may be what the counting went wrong by.
        segment!.setSubjectId(at, 0);
        const seq = segment!.seqAt(at);
        if (!block.has(seq)) continue;
        const offset = segment!.offsetAt(at);
        const start = offset + RECORD_HEAD_BYTES;
        const subject = subjectFromBytes(segment!.buffer, start, start + subjectLength(segment!.buffer, offset));
        const found = counted.get(subject);
        if (found === undefined) counted.set(subject, { count: 1, first: seq, last: seq });
        else {
          found.count++;
          found.last = seq;
        }
      }
    }
  }

  /** Entries stay the objects they are: what is known of other blocks names them. */
  #correct(counted: Map<string, SubjectState>): void {
    const { subjects } = this.#state;
    const gone: SubjectEntry[] = [];
    subjects.each(null, (entry) => {
      if (!counted.has(entry.subject)) gone.push(entry);
      return true;
    });
    for (const entry of gone) subjects.removed(entry, 0, entry.count);
    for (const [subject, state] of counted) {
      const entry = subjects.get(subject) ?? subjects.add(subject, subjectByteLength(subject));
      entry.count = state.count;
      entry.first = state.first;
      entry.last = state.last;
      entry.firstExact = true;
      entry.lastExact = true;
    }
  }
}
