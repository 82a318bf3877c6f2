/** One queue group a message goes to: one of the members gets it. */
export interface QueueMatch<T> {
  readonly queue: string;
  /** Never empty. A group that is subscribed to several matching patterns is one group. */
  readonly members: readonly T[];
}

/** Who gets a message: everybody in `plain`, and one member of each group in `queues`. Shared; never changes. */
export interface Matches<T> {
  /** A value subscribed to two matching patterns is in it twice. */
  readonly plain: readonly T[];
  readonly queues: readonly QueueMatch<T>[];
}
