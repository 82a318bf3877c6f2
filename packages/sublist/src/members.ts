/** Members a list scans; a longer one keeps an index. */
const MEMBERS_SCAN_MAX = 16;

/** A set of values that is an array to its readers: adding and removing cost the same however many there are. */
export class Members<T> {
  readonly #items: T[];
  #index: Map<T, number> | null = null;

  constructor(first: T) {
    // A literal of one: pushing to an empty array would reserve room for seventeen.
    this.#items = [first];
  }

  get items(): readonly T[] {
    return this.#items;
  }

  /** False if it is already there. */
  add(value: T): boolean {
    if (this.#indexOf(value) !== -1) return false;
    const size = this.#items.push(value);
    if (this.#index !== null) this.#index.set(value, size - 1);
    else if (size > MEMBERS_SCAN_MAX) this.#index = new Map(this.#items.map((item, index) => [item, index]));
    return true;
  }

  /** False if it is not there. The last one takes the place of the removed one. */
  remove(value: T): boolean {
    const index = this.#indexOf(value);
    if (index === -1) return false;
    const last = this.#items.pop() as T;
    this.#index?.delete(value);
    if (index < this.#items.length) {
      this.#items[index] = last;
      this.#index?.set(last, index);
    }
    if (this.#items.length <= MEMBERS_SCAN_MAX / 2) this.#index = null;
    return true;
  }

  #indexOf(value: T): number {
    return this.#index === null ? this.#items.indexOf(value) : (this.#index.get(value) ?? -1);
  }
}
