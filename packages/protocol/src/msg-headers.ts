import { HeaderCursor } from './header-block.ts';
import { subjectByteLength, subjectFromBytes, writeSubject } from './subject-bytes.ts';

const NAME_INVALID = /[:\r\n]|^$/;
const VALUE_INVALID = /[\r\n]/;
const VERSION = 'NATS/1.0';

/**
 * Headers of one message, decoded. Names are compared exactly, as nats-server does; order and repetition are kept. For
 * looking at a block without decoding it see `findHeader` and `HeaderCursor`.
 */
export class MsgHeaders {
  /** Status of the first line, 0 when there is none. */
  status = 0;
  /** Text behind the status. */
  description = '';
  readonly #entries: [name: string, value: string][] = [];

  /** Reads the block `source[start, end)`. Never fails: lines without a colon are left out. */
  static decode(source: Buffer, start: number, end: number): MsgHeaders {
    const headers = new MsgHeaders();
    const match = /^NATS\/1\.0 +(\d{3})(?: +([^\r\n]*))?/.exec(
      source.toString('latin1', start, Math.min(end, start + 512)),
    );
    if (match !== null) {
      headers.status = Number(match[1]);
      headers.description = match[2] ?? '';
    }
    const cursor = new HeaderCursor();
    cursor.reset(source, start, end);
    while (cursor.next()) {
      headers.#entries.push([
        subjectFromBytes(source, cursor.nameStart, cursor.nameEnd),
        subjectFromBytes(source, cursor.valueStart, cursor.valueEnd),
      ]);
    }
    return headers;
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.length;
  }

  /** The first value of `name`, undefined when there is none. */
  get(name: string): string | undefined {
    return this.#entries.find((entry) => entry[0] === name)?.[1];
  }

  /** All values of `name`, in order. */
  values(name: string): string[] {
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }

  /** Names and values in the order of the block. */
  entries(): readonly (readonly [name: string, value: string])[] {
    return this.#entries;
  }

  /** Adds a value. @throws TypeError if the name is empty or holds `:`, or either holds a line end. */
  append(name: string, value: string): void {
    assertValid(name, value);
    this.#entries.push([name, value]);
  }

  /** Replaces all values of `name` by this one, which stands at the end. Throws like `append`, having changed nothing. */
  set(name: string, value: string): void {
    assertValid(name, value);
    this.delete(name);
    this.#entries.push([name, value]);
  }

  /** Removes all values of `name`; true if there were any. */
  delete(name: string): boolean {
    const before = this.#entries.length;
    for (let i = before - 1; i >= 0; i--) {
      if (this.#entries[i]![0] === name) this.#entries.splice(i, 1);
    }
    return this.#entries.length < before;
  }

  /** The block for the wire. */
  encode(): Buffer {
    let text = VERSION;
    if (this.status > 0) text += ` ${this.status}${this.description === '' ? '' : ` ${this.description}`}`;
    text += '\r\n';
    for (const [name, value] of this.#entries) text += `${name}: ${value}\r\n`;
    text += '\r\n';
    const block = Buffer.allocUnsafe(subjectByteLength(text));
    writeSubject(text, block, 0);
    return block;
  }
}

function assertValid(name: string, value: string): void {
  if (NAME_INVALID.test(name)) {
    throw new TypeError(`header name ${JSON.stringify(name)} is empty or holds ':' or a line end`);
  }
  if (VALUE_INVALID.test(value)) {
    throw new TypeError(`value of header ${name} holds a line end: ${JSON.stringify(value)}`);
  }
}
