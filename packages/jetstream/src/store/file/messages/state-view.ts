import type { StoreState, SubjectState } from '../../store.ts';
import type { Loss } from './block-loader.ts';
import type { Queries } from './queries.ts';
import type { StreamLog } from './stream-log.ts';
import type { SubjectEntry } from './subject-table.ts';

/** The subject at hand of a walk over all. Many callers want the count alone; first and last may have to be read from disk. */
export class EntryState implements SubjectState {
  entry: SubjectEntry | null = null;
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  get count(): number {
    return this.entry!.count;
  }

  get first(): number {
    this.#queries.resolveFirst(this.entry!);
    return this.entry!.first;
  }

  get last(): number {
    this.#queries.resolveLast(this.entry!);
    return this.entry!.last;
  }
}

/** What a stream holds, as MessageStore.state. */
export function stateOf(log: StreamLog, loss: Loss | null): StoreState {
  const { messages, bytes, firstSeq, lastSeq, lastTimeMs, lastTimeNs, subjects, blocks } = log;
  const first = messages === 0 ? undefined : blocks.find((block) => block.messages > 0);
  return {
    messages,
    bytes,
    firstSeq,
    firstTime: first === undefined ? null : { ms: first.firstTimeMs, ns: first.firstTimeNs },
    lastSeq,
    lastTime: lastTimeMs === 0 && lastTimeNs === 0 ? null : { ms: lastTimeMs, ns: lastTimeNs },
    subjects: subjects.size,
    deleted: messages === 0 ? 0 : lastSeq - firstSeq + 1 - messages,
    lost: loss === null ? null : { seqs: [...loss.seqs], bytes: loss.bytes },
  };
}

/** Sequences between first and last without a message, ascending. */
export function deletedSeqsOf(log: StreamLog): number[] {
  const deleted: number[] = [];
  if (log.messages === 0) return deleted;
  let expected = log.firstSeq;
  const gap = (to: number): void => {
    for (; expected < to; expected++) deleted.push(expected);
  };
  for (const block of log.blocks) {
    if (block.messages === 0) continue;
    gap(block.firstSeq);
    block.removed.eachRange((first, last) => {
      expected = first;
      gap(last + 1);
    });
    expected = block.lastSeq + 1;
  }
  gap(log.lastSeq + 1);
  return deleted;
}
