interface Watch {
  readonly isInterested: () => boolean;
  readonly callback: (interested: boolean) => void;
  last: boolean;
}

/** Who wants to know about subscriptions to which literal subject. As many as are registered: JetStream bounds consumers. */
export class InterestWatches {
  readonly #bySubject = new Map<string, readonly Watch[]>();

  add(subject: string, isInterested: () => boolean, callback: (interested: boolean) => void): { close(): void } {
    const watch: Watch = { isInterested, callback, last: isInterested() };
    this.#bySubject.set(subject, [...(this.#bySubject.get(subject) ?? []), watch]);
    return {
      close: () => {
        const left = (this.#bySubject.get(subject) ?? []).filter((other) => other !== watch);
        if (left.length === 0) this.#bySubject.delete(subject);
        else this.#bySubject.set(subject, left);
      },
    };
  }

  /** A subscription to exactly `subject` came or went. */
  changed(subject: string): void {
    const watches = this.#bySubject.get(subject);
    if (watches === undefined) return;
    for (const watch of watches) {
      const interested = watch.isInterested();
      if (interested === watch.last) continue;
      watch.last = interested;
      watch.callback(interested);
    }
  }
}
