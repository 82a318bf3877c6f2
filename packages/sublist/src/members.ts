/** Members a list scans; a longer one keeps an index. */
const MEMBERS_SCAN_MAX = 16;

/** A set of values that is an array to its readers: adding and removing cost the same however many there are. */
export class Members<T> {
  #items: T[];
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

/** Everybody subscribed to one subject or pattern. */
export class Subscribers<T> {
  #plain: Members<T> | null = null;
  #queues: Map<string, Members<T>> | null = null;

  get plain(): Members<T> | null {
    return this.#plain;
  }

  get queues(): ReadonlyMap<string, Members<T>> | null {
    return this.#queues;
  }

  get isEmpty(): boolean {
    return this.#plain === null && this.#queues === null;
  }

  /** Members of a queue group, or the plain subscribers if `queue` is null. */
  group(queue: string | null): Members<T> | null {
    return queue === null ? this.#plain : (this.#queues?.get(queue) ?? null);
  }

  /** False if the value is already there. */
  add(queue: string | null, value: T): boolean {
    const group = this.group(queue);
    if (group !== null) return group.add(value);
    if (queue === null) {
      this.#plain = new Members(value);
    } else {
      this.#queues ??= new Map();
      this.#queues.set(queue, new Members(value));
    }
    return true;
  }

  /** False if the value is not there. */
  remove(queue: string | null, value: T): boolean {
    const group = this.group(queue);
    if (group === null || !group.remove(value)) return false;
    if (group.items.length > 0) return true;
    if (queue === null) {
      this.#plain = null;
    } else {
      this.#queues!.delete(queue);
      if (this.#queues!.size === 0) this.#queues = null;
    }
    return true;
  }
}
