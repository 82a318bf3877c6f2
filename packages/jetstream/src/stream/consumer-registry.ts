import { isSubset, overlaps, Sublist } from '@nats-ts/sublist';
import type { RemovalReason, StreamConsumer } from './consumer-port.ts';

/** Filtered consumers that are asked one by one; more of them are found through an index of their filter subjects. */
export const FILTERED_SCAN_MAX = 8;

/** The consumers of a stream and whom of them a message concerns. */
export class ConsumerRegistry {
  readonly byName: Map<string, StreamConsumer> = new Map();
  /** Consumers that take everything. Replaced, never changed, so that a loop over it survives a removal. */
  #unfiltered: readonly StreamConsumer[] = [];
  #filtered: readonly StreamConsumer[] = [];
  /** By filter subject, when there are more than FILTERED_SCAN_MAX. */
  #index: Sublist<StreamConsumer> | null = null;

  get isEmpty(): boolean {
    return this.byName.size === 0;
  }

  /** Consumers that count and are listed. */
  get visibleCount(): number {
    let count = 0;
    for (const consumer of this.byName.values()) if (!consumer.isHidden) count++;
    return count;
  }

  /** Throws if the name is taken: the API checks before. */
  add(consumer: StreamConsumer): void {
    if (this.byName.has(consumer.name)) throw new Error(`consumer "${consumer.name}" is in service already`);
    this.byName.set(consumer.name, consumer);
    this.rebuild();
  }

  remove(consumer: StreamConsumer): boolean {
    if (this.byName.get(consumer.name) !== consumer) return false;
    this.byName.delete(consumer.name);
    this.rebuild();
    return true;
  }

  /** After a filter changed. */
  rebuild(): void {
    const all = [...this.byName.values()];
    this.#unfiltered = all.filter((consumer) => consumer.filter === null);
    this.#filtered = all.filter((consumer) => consumer.filter !== null);
    this.#index = this.#filtered.length > FILTERED_SCAN_MAX ? indexOf(this.#filtered) : null;
  }

  /** True if a consumer takes messages on the subject. */
  hasInterest(subject: string): boolean {
    if (this.#unfiltered.length > 0) return true;
    if (this.#index !== null) return this.#index.match(subject).plain.length > 0;
    for (const consumer of this.#filtered) if (takes(consumer, subject)) return true;
    return false;
  }

  /** True if a consumer other than `except` still needs the message. */
  needs(seq: number, subject: string, except: StreamConsumer | null): boolean {
    for (const consumer of this.#unfiltered) if (consumer !== except && consumer.needs(seq)) return true;
    for (const consumer of this.#candidates(subject)) {
      if (consumer !== except && takes(consumer, subject) && consumer.needs(seq)) return true;
    }
    return false;
  }

  stored(seq: number, subject: string): void {
    const unfiltered = this.#unfiltered;
    for (let i = 0; i < unfiltered.length; i++) unfiltered[i]!.onStored(seq, subject);
    if (this.#filtered.length === 0) return;
    const candidates = this.#candidates(subject);
    for (let i = 0; i < candidates.length; i++) {
      const consumer = candidates[i]!;
      if (takes(consumer, subject)) consumer.onStored(seq, subject);
    }
  }

  removed(seq: number, subject: string, reason: RemovalReason): void {
    const unfiltered = this.#unfiltered;
    for (let i = 0; i < unfiltered.length; i++) unfiltered[i]!.onRemoved(seq, subject, reason);
    if (this.#filtered.length === 0) return;
    const candidates = this.#candidates(subject);
    for (let i = 0; i < candidates.length; i++) {
      const consumer = candidates[i]!;
      if (takes(consumer, subject)) consumer.onRemoved(seq, subject, reason);
    }
  }

  committed(): void {
    for (const consumer of this.#unfiltered) consumer.onCommitted();
    for (const consumer of this.#filtered) consumer.onCommitted();
  }

  /** Everything below `firstSeq` was purged. */
  purged(firstSeq: number): void {
    for (const consumer of this.#unfiltered) consumer.onPurged(firstSeq);
    for (const consumer of this.#filtered) consumer.onPurged(firstSeq);
  }

  /**
   * Messages on `subjects` were purged. A consumer that takes nothing else goes on at what is left of them (`firstLeft`), one that
   * takes more where the stream begins now (`firstSeq`; null = where it began before).
   */
  subjectsPurged(subjects: readonly string[], firstSeq: number | null, firstLeft: () => number): void {
    if (firstSeq !== null) for (const consumer of this.#unfiltered) consumer.onPurged(firstSeq);
    for (const consumer of this.#filtered) {
      const filters = consumer.filter?.subjects ?? [];
      if (filters.every((filter) => subjects.some((subject) => isSubset(filter, subject)))) {
        consumer.onPurged(firstLeft());
      } else if (firstSeq !== null && filters.some((filter) => subjects.some((one) => overlaps(filter, one)))) {
        consumer.onPurged(firstSeq);
      }
    }
  }

  #candidates(subject: string): readonly StreamConsumer[] {
    return this.#index === null ? this.#filtered : this.#index.match(subject).plain;
  }
}

function takes(consumer: StreamConsumer, subject: string): boolean {
  return consumer.filter === null || consumer.filter.matches(subject);
}

function indexOf(consumers: readonly StreamConsumer[]): Sublist<StreamConsumer> {
  const index = new Sublist<StreamConsumer>();
  for (const consumer of consumers) {
    for (const subject of consumer.filter?.subjects ?? []) index.insert(subject, null, consumer);
  }
  return index;
}
