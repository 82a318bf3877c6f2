/** Told when the first subscription to a literal subject appears (true) and when the last one is gone (false). */
export type InterestCallback = (interested: boolean) => void;

interface Watch {
  readonly queue: string | null;
  readonly callback: InterestCallback;
  ended: boolean;
}

/** Who wants to know about interest in which subject. As many watches as callers register: the caller bounds them. */
export class InterestWatches {
  readonly #bySubject = new Map<string, readonly Watch[]>();

  /** Returns a function that ends the watch; a second call does nothing. */
  add(subject: string, queue: string | null, callback: InterestCallback): () => void {
    const watch: Watch = { queue, callback, ended: false };
    this.#bySubject.set(subject, [...(this.#bySubject.get(subject) ?? []), watch]);
    return () => {
      watch.ended = true;
      const left = this.#bySubject.get(subject)?.filter((other) => other !== watch) ?? [];
      if (left.length === 0) this.#bySubject.delete(subject);
      else this.#bySubject.set(subject, left);
    };
  }

  /** Interest in `subject` by queue group `queue` (null = plain subscribers) appeared or vanished. */
  notify(subject: string, queue: string | null, interested: boolean): void {
    const watches = this.#bySubject.get(subject);
    if (watches === undefined) return;
    for (const watch of watches) {
      // A callback before it may have ended it.
      if (watch.queue === queue && !watch.ended) watch.callback(interested);
    }
  }
}
