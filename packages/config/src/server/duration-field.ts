import type { ConfNode, ConfPlace } from '../conf/tree.ts';
import { durationMs, parseGoDuration } from '../go/duration.ts';
import { asInt64, asString, FieldError, type Findings, isNumeric } from './fields.ts';

const SECOND_NS = 1_000_000_000n;

/** A duration: a text such as "2m", or an integer of seconds, which earns a warning. In milliseconds. */
export function readDuration(field: string, node: ConfNode, findings: Findings, place: ConfPlace = node.place): number {
  if (typeof node.value === 'string') {
    const parsed = parseGoDuration(node.value);
    if (parsed.ok) return durationMs(parsed.ns);
    findings.problem(node.place, `error parsing ${field}: ${parsed.error}`);
    return 0;
  }
  findings.warn(node.place, field, `${field} should be converted to a duration`);
  return durationMs(BigInt.asIntN(64, asInt64(node, place) * SECOND_NS));
}

/** A duration that must be a text; nanoseconds. @throws FieldError, its text beginning with `failed`. */
export function readDurationText(node: ConfNode, failed: string): bigint {
  const parsed = parseGoDuration(asString(node));
  if (!parsed.ok) throw new FieldError(node.place, `${failed}${parsed.error}`);
  return parsed.ns;
}

/** A timeout: seconds as a number, or a duration as a text; in seconds. `block` names it in messages. */
export function readTimeoutSeconds(node: ConfNode, block: string): number {
  const { value, place } = node;
  if (isNumeric(value)) return Number(value);
  const failed = `error parsing ${block} config, 'timeout'`;
  if (typeof value !== 'string') throw new FieldError(place, `${failed} wrong type`);
  return durationMs(readDurationText(node, `${failed} `)) / 1000;
}
