/** Lets a limited number of operations run at a time; the others wait in order. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnceMax: number) {
    this.#free = atOnceMax;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await operation();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Runs `operation` for each item, `atOnceMax` at a time; results stand in the order of the items. */
export async function mapGated<T, R>(
  items: readonly T[],
  atOnceMax: number,
  operation: (item: T) => Promise<R>,
): Promise<R[]> {
  const gate = new Gate(atOnceMax);
  return Promise.all(items.map((item) => gate.run(() => operation(item))));
}
