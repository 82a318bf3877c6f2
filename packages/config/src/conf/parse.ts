import { posix } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { fileErrorText } from '../go/file-error.ts';
import { Lexer } from './lexer.ts';
import { booleanOf, dateOf, floatOf, integerOf } from './scalar.ts';
import type { Token } from './token.ts';
import type { ConfMap, ConfNode, ConfPlace, ConfValue } from './tree.ts';

/** How deep files may include each other, and variables of the environment refer to each other. Deeper is an error. */
export const MAX_INCLUDE_DEPTH = 32;
/** The largest text that is read, in bytes: main file, included files and variables each. Larger is an error. */
export const MAX_CONFIG_BYTES: number = 16 * 1024 * 1024;

/** What the text may refer to. */
export interface ConfInputs {
  /** Variables for `$NAME` that no enclosing map defines. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file; throws as node:fs does. */
  readonly readFile: (path: string) => Uint8Array;
}

/**
 * Parses a text in nats-server's configuration format into a tree in which every value knows its place.
 *
 * Equivalent to nats-server's conf.ParseFileWithChecks (spec/core.md 5.1).
 *
 * @param text the file's contents; bytes are taken as they are, a string as UTF-8.
 * @param path the file's name as the operator gave it: included files are sought in its directory, messages name it.
 * @throws ConfigError with nats-server's sentence at the first thing that cannot be read.
 */
export function parseNatsConfig(text: string | Uint8Array, path: string, inputs: ConfInputs): ConfMap {
  return new Parser(path, inputs, { depth: 0, variables: new Set() }).parse(text);
}

/** Reads and parses a file; see parseNatsConfig. */
export function parseNatsConfigFile(path: string, inputs: ConfInputs): ConfMap {
  return parseNatsConfig(readConfigFile(path, inputs), path, inputs);
}

function readConfigFile(path: string, inputs: ConfInputs): Uint8Array {
  try {
    return inputs.readFile(path);
  } catch (error) {
    throw ConfigError.of(fileErrorText(path, error));
  }
}

/** What a file shares with the files and variables it refers to. */
interface Nesting {
  readonly depth: number;
  /** Variables of the environment that are being resolved: one of them again is a cycle. */
  readonly variables: Set<string>;
}

/** The key under which the value of a variable is parsed. */
const VARIABLE_KEY = 'pk';
/** `$2a$…` is a bcrypt hash, not a variable. */
const BCRYPT_PREFIX = '2a$';

class Parser {
  readonly #file: string;
  readonly #inputs: ConfInputs;
  readonly #nesting: Nesting;
  readonly #root: ConfMap = new Map();
  readonly #contexts: (ConfMap | ConfNode[])[] = [this.#root];
  /** Keys whose value has not come yet. A value that is dropped leaves its key behind, as in nats-server. */
  readonly #keys: Token[] = [];

  constructor(file: string, inputs: ConfInputs, nesting: Nesting) {
    this.#file = file;
    this.#inputs = inputs;
    this.#nesting = nesting;
  }

  parse(text: string | Uint8Array): ConfMap {
    const bytes = Buffer.from(text as Uint8Array);
    if (bytes.length > MAX_CONFIG_BYTES) {
      throw ConfigError.of(`${this.#file}: larger than ${MAX_CONFIG_BYTES} bytes, which is the most that is read`);
    }
    const lexer = new Lexer(bytes);
    let previous: Token | null = null;
    let token = lexer.next();
    for (; token.kind !== 'end'; token = lexer.next()) {
      this.#take(token);
      previous = token;
    }
    // A stray brace at the end is tolerated.
    if (previous?.kind === 'key' && previous.text !== '}') {
      const { line, column } = token;
      throw ConfigError.of(`config is invalid (${this.#file}:${line}:${column})`);
    }
    return this.#root;
  }

  #take(token: Token): void {
    switch (token.kind) {
      case 'error':
        throw ConfigError.of(`Parse error on line ${token.line}: '${token.text}'`);
      case 'key':
        this.#keys.push(token);
        break;
      case 'map-start':
        this.#contexts.push(new Map());
        break;
      case 'array-start':
        this.#contexts.push([]);
        break;
      case 'map-end':
      case 'array-end':
        this.#set(this.#contexts.pop()!, token);
        break;
      case 'include':
        this.#include(token);
        break;
      case 'variable':
        this.#set(this.#variable(token), token);
        break;
      default:
        this.#set(scalarOf(token), token);
    }
  }

  /** Gives a value to the pending key, or adds it to the array; a value that is undefined leaves its key behind. */
  #set(value: ConfValue | undefined, token: Token): void {
    if (value === undefined) return;
    const context = this.#contexts.at(-1)!;
    if (Array.isArray(context)) context.push({ value, place: this.#place(token), usedAsVariable: false });
    else
      this.#define(
        context,
        { value, place: this.#place(this.#keys.at(-1)!), usedAsVariable: false },
        this.#keys.pop()!.text,
      );
  }

  #define(map: ConfMap, node: ConfNode, key: string): void {
    map.delete(key); // so that the map's order is that of the definitions that count
    map.set(key, node);
  }

  #place(token: Token): ConfPlace {
    return { file: this.#file, line: token.line, column: token.column };
  }

  #include(token: Token): void {
    const failed = `error parsing include file '${token.text}', `;
    if (this.#nesting.depth >= MAX_INCLUDE_DEPTH) {
      throw ConfigError.of(`${failed}files include each other more than ${MAX_INCLUDE_DEPTH} levels deep`);
    }
    const path = posix.join(posix.dirname(this.#file), token.text).replace(/(.)\/$/, '$1');
    let included: ConfMap;
    try {
      const text = readConfigFile(path, this.#inputs);
      const nesting = { depth: this.#nesting.depth + 1, variables: new Set<string>() };
      included = new Parser(path, this.#inputs, nesting).parse(text);
    } catch (error) {
      throw error instanceof ConfigError ? ConfigError.of(failed + error.message) : error;
    }
    const context = this.#contexts.at(-1)!;
    // `include` is a key, so what encloses it is a map.
    if (!Array.isArray(context)) for (const [key, node] of included) this.#define(context, node, key);
  }

  /** Looks for a variable in the enclosing maps, the nearest first, then in the environment. */
  #variable(token: Token): ConfValue {
    const name = token.text;
    if (name.startsWith(BCRYPT_PREFIX)) return `$${name}`;
    for (let i = this.#contexts.length - 1; i >= 0; i--) {
      const context = this.#contexts[i]!;
      const node = Array.isArray(context) ? undefined : context.get(name);
      if (node === undefined) continue;
      node.usedAsVariable = true;
      return node.value;
    }
    const where = `variable reference for '${name}' on line ${token.line}`;
    let value: ConfValue | undefined;
    try {
      value = this.#environment(name, token);
    } catch (error) {
      throw error instanceof ConfigError ? ConfigError.of(`${where} could not be parsed: ${error.message}`) : error;
    }
    if (value === undefined) throw ConfigError.of(`${where} can not be found`);
    return value;
  }

  /** The text of a variable of the environment is itself a value in the configuration format. */
  #environment(name: string, token: Token): ConfValue | undefined {
    const { variables, depth } = this.#nesting;
    if (variables.has(name)) throw ConfigError.of(`variable reference cycle for '${name}'`);
    const text = Object.hasOwn(this.#inputs.env, name) ? this.#inputs.env[name] : undefined;
    if (text === undefined) return undefined;
    if (depth >= MAX_INCLUDE_DEPTH) {
      throw ConfigError.of(`variables refer to each other more than ${MAX_INCLUDE_DEPTH} levels deep`);
    }
    variables.add(name);
    try {
      const parsed = new Parser('', this.#inputs, { depth: depth + 1, variables }).parse(`${VARIABLE_KEY}=${text}`);
      const node = parsed.get(VARIABLE_KEY);
      return node === undefined ? undefined : movedTo(node, this.#place(token)).value;
    } finally {
      variables.delete(name);
    }
  }
}

/** What stands in a variable of the environment has no place of its own: it gets that of the reference. */
function movedTo(node: ConfNode, place: ConfPlace): ConfNode {
  let { value } = node;
  if (Array.isArray(value)) value = value.map((element) => movedTo(element, place));
  else if (value instanceof Map) value = new Map([...value].map(([key, child]) => [key, movedTo(child, place)]));
  return { value, place, usedAsVariable: node.usedAsVariable };
}

function scalarOf(token: Token): ConfValue | undefined {
  switch (token.kind) {
    case 'integer':
      return integerOf(token);
    case 'float':
      return floatOf(token);
    case 'bool':
      return booleanOf(token);
    case 'datetime':
      return dateOf(token);
    default:
      return token.text;
  }
}
