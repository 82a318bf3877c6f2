/** Runs operations one after the other, in the order they were asked for. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation, operation);
    // A failure is the caller's to see; it does not keep the next operation from running.
    this.#last = result.catch(() => {});
    return result;
  }
}
