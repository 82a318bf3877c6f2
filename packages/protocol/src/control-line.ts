/**
 * A control line whose end has not arrived yet. It takes memory only as bytes come, and the caller checks its limit before
 * `append`.
 */
export class ControlLine {
  #bytes: Buffer | null = null;
  #length = 0;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** The last byte held, -1 when empty. */
  get lastByte(): number {
    return this.#length === 0 ? -1 : this.#bytes![this.#length - 1]!;
  }

  /** The buffer the bytes stand in, from offset 0; it is not used again after `clear`. */
  get bytes(): Buffer {
    return this.#bytes!;
  }

  /** Bytes of memory taken. */
  get capacity(): number {
    return this.#bytes === null ? 0 : this.#bytes.length;
  }

  /** Adds `source[start, end)`. `expectedMax` is what the line can grow to: no more memory than that is taken ahead. */
  append(source: Buffer, start: number, end: number, expectedMax: number): void {
    const needed = this.#length + end - start;
    if (this.#bytes === null || needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(this.#length * 2, expectedMax)));
      this.#bytes?.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    source.copy(this.#bytes, this.#length, start, end);
    this.#length = needed;
  }

  clear(): void {
    this.#bytes = null;
    this.#length = 0;
  }
}
