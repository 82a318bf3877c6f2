import { SubjectTree } from '@nats-ts/sublist';

interface Watch {
  readonly isInterested: () => boolean;
  readonly callback: (interested: boolean) => void;
  last: boolean;
}

/** Who wants to know about interest in which literal subject. As many as are registered: JetStream bounds consumers. */
export class InterestWatches {
  readonly #tree = new SubjectTree<Watch[]>();

  add(subject: string, isInterested: () => boolean, callback: (interested: boolean) => void): { close(): void } {
    const watch: Watch = { isInterested, callback, last: isInterested() };
    this.#tree.set(subject, [...(this.#tree.get(subject) ?? []), watch]);
    return {
      close: () => {
        const left = (this.#tree.get(subject) ?? []).filter((other) => other !== watch);
        if (left.length === 0) this.#tree.delete(subject);
        else this.#tree.set(subject, left);
      },
    };
  }

  /** A subscription to `subject`, which may have wildcards, came or went. */
  changed(subject: string): void {
    if (this.#tree.size === 0) return;
    const affected: Watch[] = [];
    this.#tree.match(subject, (_literal, watches) => {
      affected.push(...watches);
    });
    for (const watch of affected) {
      const interested = watch.isInterested();
      if (interested === watch.last) continue;
      watch.last = interested;
      watch.callback(interested);
    }
  }
}
