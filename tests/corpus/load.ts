import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Raw byte scripts: what a client sends, and what a genuine nats-server answered. The format, line by line:
 *
 *     # a comment
 *     config max_payload: 64       a line of the server's configuration; all of them before the first script
 *     == closes without a word     name of a script; each one gets a connection of its own
 *     > PUB a -1\r\n               bytes to send, one write
 *     fin                          the client ends its side
 *     await close                  the server closes after a while: wait for it (else: until nothing more comes)
 *     < +OK\r\n                    recorded: bytes received; several such lines belong together
 *     log processPub …             recorded: an [ERR] line of this connection, without its prefix
 *     open                         recorded: the connection stays open …
 *     closed Protocol Violation    … or was closed, with the reason of nats-server's log
 *
 * Bytes are escaped as `\r \n \t \\ \xHH`, and `\[a*4096]` stands for 4096 times the byte between `[` and `*`. Received
 * bytes do not contain the first INFO, and further INFO lines have their JSON replaced by `{...}`.
 */
export interface CorpusScript {
  readonly name: string;
  /** Line number of the name, for messages. */
  readonly line: number;
  readonly steps: readonly CorpusStep[];
  /** null until recorded. */
  readonly expected: CorpusResult | null;
}

/** What the client does. */
export type CorpusStep =
  | { readonly do: 'send'; readonly bytes: Buffer }
  | { readonly do: 'fin' }
  | { readonly do: 'await close' };

/** What came of it. */
export interface CorpusResult {
  /** Everything received, stripped as above. */
  readonly received: Buffer;
  /** Texts of [ERR] lines. Offsets in them depend on how the server's reads fell. */
  readonly log: readonly string[];
  /** Reason of the close, null when the connection stayed open. */
  readonly closed: string | null;
}

/** One file: scripts that share a server configuration. */
export interface CorpusFile {
  readonly path: string;
  /** File name without `.txt`. */
  readonly name: string;
  /** Text for the server's configuration file; may be empty. */
  readonly config: string;
  readonly scripts: readonly CorpusScript[];
}

/** The folder of the core protocol's scripts. */
export const coreCorpus: string = join(dirname(fileURLToPath(import.meta.url)), 'core');

/** Reads all `.txt` files of a folder, in the order of their names. */
export function loadCorpus(folder: string = coreCorpus): CorpusFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  return names.sort().map((name) => parseCorpus(readFileSync(join(folder, name), 'utf8'), join(folder, name)));
}

/** Reads one file. Throws an Error that names path and line when a line cannot be read. */
export function parseCorpus(text: string, path: string): CorpusFile {
  const config: string[] = [];
  const scripts: ScriptDraft[] = [];
  text.split('\n').forEach((line, index) => {
    if (line === '' || line.startsWith('#')) return;
    const script = scripts.at(-1);
    if (line.startsWith('== ')) scripts.push(new ScriptDraft(line.slice(3), index + 1));
    else if (script === undefined && line.startsWith('config ')) config.push(line.slice(7));
    else if (script === undefined || !script.read(line)) throw new Error(`${path}:${index + 1}: cannot read "${line}"`);
  });
  return {
    path,
    name: basename(path, '.txt'),
    config: config.map((line) => `${line}\n`).join(''),
    scripts: scripts.map((draft) => draft.finish()),
  };
}

class ScriptDraft {
  readonly #name: string;
  readonly #line: number;
  readonly #steps: CorpusStep[] = [];
  readonly #received: Buffer[] = [];
  readonly #log: string[] = [];
  #closed: string | null | undefined;

  constructor(name: string, line: number) {
    this.#name = name;
    this.#line = line;
  }

  /** False when the line means nothing. */
  read(line: string): boolean {
    if (line.startsWith('> ')) this.#steps.push({ do: 'send', bytes: unescapeBytes(line.slice(2)) });
    else if (line === 'fin' || line === 'await close') this.#steps.push({ do: line });
    else if (line.startsWith('< ')) this.#received.push(unescapeBytes(line.slice(2)));
    else if (line.startsWith('log ')) this.#log.push(line.slice(4));
    else if (line === 'open') this.#closed = null;
    else if (line.startsWith('closed ')) this.#closed = line.slice(7);
    else return false;
    return true;
  }

  finish(): CorpusScript {
    const closed = this.#closed;
    const expected = closed === undefined ? null : { received: Buffer.concat(this.#received), log: this.#log, closed };
    return { name: this.#name, line: this.#line, steps: this.#steps, expected };
  }
}

/** True for the lines of a script that are recorded. */
export function isRecordedLine(line: string): boolean {
  return line.startsWith('< ') || line.startsWith('log ') || line === 'open' || line.startsWith('closed ');
}

/** The recorded lines for a result. */
export function formatResult(result: CorpusResult): string[] {
  const lines = result.received.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return [
    ...lines.map((line) => `< ${escapeBytes(Buffer.from(line, 'latin1'))}`),
    ...result.log.map((line) => `log ${line}`),
    result.closed === null ? 'open' : `closed ${result.closed}`,
  ];
}

/** Replaces the JSON of every INFO line. */
export function stripInfo(received: Buffer): Buffer {
  return Buffer.from(received.toString('latin1').replace(/^INFO \{.*\}( ?\r\n)/gm, 'INFO {...}$1'), 'latin1');
}

const NAMED = new Map([
  ['\\r', '\r'],
  ['\\n', '\n'],
  ['\\t', '\t'],
  ['\\\\', '\\'],
]);

/** Bytes for their escaped form. */
export function unescapeBytes(text: string): Buffer {
  const plain = text.replace(/\\\[(\\x[0-9a-f]{2}|.)\*(\d+)\]|\\x([0-9a-f]{2})|\\./g, (match, byte, times, hex) => {
    if (times !== undefined) return unescapeBytes(byte).toString('latin1').repeat(Number(times));
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const named = NAMED.get(match);
    if (named === undefined) throw new Error(`unknown escape ${match}`);
    return named;
  });
  return Buffer.from(plain, 'latin1');
}

/** The escaped form of bytes; runs of 32 and more of one letter are shortened. */
export function escapeBytes(bytes: Buffer): string {
  const escaped = bytes.toString('latin1').replace(/[^\x20-\x7e]|\\/g, (char) => {
    for (const [name, value] of NAMED) if (value === char) return name;
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  const shortened = escaped.replace(/([A-Za-z])\1{31,}/g, (run, char) => `\\[${char}*${run.length}]`);
  return shortened.replace(/ $/, '\\x20');
}
