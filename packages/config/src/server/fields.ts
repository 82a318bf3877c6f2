import { type ConfMap, type ConfNode, type ConfPlace, type ConfValue, goTypeName, placeText } from '../conf/tree.ts';
import type { ConfigProblem } from '../config-error.ts';
import { goQuote } from '../go/quote.ts';

/** Collects what is wrong with a file, so that everything can be reported at once. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: string[] = [];

  /** A problem at a place, or at none where nats-server names none. */
  problem(place: ConfPlace | null, text: string): void {
    if (place === null) this.problems.push({ text });
    else this.problems.push({ text: `${placeText(place)}: ${text}`, source: placeText(place) });
  }

  warn(place: ConfPlace, field: string, reason: string): void {
    this.warnings.push(`${placeText(place)}: invalid use of field ${goQuote(field)}: ${reason}`);
  }

  /** Reads a block; what ends it early is noted, and undefined returned. */
  block<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.problem(error.place, error.message);
      return undefined;
    }
  }

  /** A field that neither nats-server nor this program knows; fine if it only serves as a variable. */
  unknown(field: string, node: ConfNode): void {
    if (!node.usedAsVariable) this.problem(node.place, `unknown field ${goQuote(field)}`);
  }

  /**
   * A field that nats-server knows and this program does not. A switch that is off asks for nothing, so it passes.
   *
   * @param path the key with those of the blocks around it: `jetstream.domain`.
   */
  unsupported(path: string, node: ConfNode): void {
    if (node.value !== false) this.problem(node.place, `${goQuote(path)} is not supported yet by nats-ts`);
  }
}

/** Ends the reading of a block: the rest of it is not looked at, as in nats-server. */
export class FieldError extends Error {
  readonly place: ConfPlace | null;

  constructor(place: ConfPlace | null, text: string) {
    super(text);
    this.place = place;
  }
}

function mismatch(node: ConfNode, wanted: string, place: ConfPlace): FieldError {
  return new FieldError(place, `interface conversion: interface {} is ${goTypeName(node.value)}, not ${wanted}`);
}

/** The string in a node. @param place where nats-server reports another type; the node's place unless given. */
export function asString(node: ConfNode, place: ConfPlace = node.place): string {
  if (typeof node.value !== 'string') throw mismatch(node, 'string', place);
  return node.value;
}

/** The boolean in a node. */
export function asBoolean(node: ConfNode, place: ConfPlace = node.place): boolean {
  if (typeof node.value !== 'boolean') throw mismatch(node, 'bool', place);
  return node.value;
}

/** The map in a node. */
export function asMap(node: ConfNode, place: ConfPlace = node.place): ConfMap {
  if (!(node.value instanceof Map)) throw mismatch(node, 'map[string]interface {}', place);
  return node.value;
}

/** The array in a node. */
export function asArray(node: ConfNode, place: ConfPlace = node.place): ConfNode[] {
  if (!Array.isArray(node.value)) throw mismatch(node, '[]interface {}', place);
  return node.value;
}

/** The integer in a node, all 64 bits of it. */
export function asInt64(node: ConfNode, place: ConfPlace = node.place): bigint {
  if (typeof node.value !== 'bigint') throw mismatch(node, 'int64', place);
  return node.value;
}

/** The integer in a node as a number. */
export function asInteger(node: ConfNode, place: ConfPlace = node.place): number {
  return safeNumber(asInt64(node, place), place);
}

/** An integer as a number. @throws FieldError for what a number cannot hold exactly. */
export function safeNumber(value: bigint, place: ConfPlace): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new FieldError(place, `${value} is beyond ${Number.MAX_SAFE_INTEGER}, the largest number that nats-ts takes`);
  }
  return number;
}

/** Whether a value is one of Go's number types. */
export function isNumeric(value: ConfValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
