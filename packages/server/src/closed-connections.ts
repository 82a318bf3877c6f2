/** The last connections that closed, for connz. Holds at most `max` (max_closed_clients) of them. */
export class ClosedConnections<T> {
  readonly #max: number;
  readonly #ring: T[] = [];
  #next = 0;
  #total = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many there were, those forgotten included. */
  get total(): number {
    return this.#total;
  }

  add(closed: T): void {
    this.#total++;
    if (this.#ring.length < this.#max) {
      this.#ring.push(closed);
      return;
    }
    this.#ring[this.#next] = closed;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Oldest first. */
  list(): T[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
