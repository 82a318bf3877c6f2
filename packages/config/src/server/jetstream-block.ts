import { type ConfMap, type ConfNode, type ConfPlace, goTypeName, goValueText } from '../conf/tree.ts';
import { durationMs, parseGoDuration } from '../go/duration.ts';
import { parseGoInt } from '../go/number.ts';
import { goQuote } from '../go/quote.ts';
import { readDuration } from './duration-field.ts';
import { asBoolean, asInteger, asString, FieldError, type Findings, safeNumber } from './fields.ts';
import type { ServerSettings } from './settings.ts';

/** The time between syncs that `sync_interval: always` falls back to when it is taken away. */
export const DEFAULT_SYNC_INTERVAL_MS = 120_000;

/** Keys of the block that nats-server takes and this program does not. */
const UNSUPPORTED = new Set([
  'domain',
  'key',
  'ek',
  'encryption_key',
  'prev_key',
  'prev_ek',
  'prev_encryption_key',
  'cipher',
  'extension_hint',
  'tpm',
  'unique_tag',
  'max_outstanding_catchup',
  'max_buffered_size',
  'max_buffered_msgs',
  'request_queue_limit',
  'info_queue_limit',
  'meta_compact',
  'meta_compact_size',
  'meta_compact_sync',
  'max_concurrent_io',
]);

const UNSUPPORTED_LIMITS = new Set(['max_ha_assets', 'batch']);

/** Powers of two of the suffixes that sizes given as texts take. */
const SIZE_SHIFTS: Readonly<Record<string, bigint>> = { K: 10n, M: 20n, G: 30n, T: 40n };

/** Reads `jetstream`: a switch, or a map (spec/core.md 5.3). @throws FieldError */
export function readJetStream(node: ConfNode, settings: ServerSettings, findings: Findings): void {
  const { value, place } = node;
  if (typeof value === 'boolean') {
    settings.jetstream = value;
  } else if (typeof value === 'string') {
    settings.jetstream = readSwitch(value, place);
  } else if (value instanceof Map) {
    readMap(value, place, settings, findings);
  } else {
    throw new FieldError(place, `Expected map, bool or string to define JetStream, got ${goTypeName(value)}`);
  }
}

function readSwitch(word: string, place: ConfPlace): boolean {
  switch (word.toLowerCase()) {
    case 'enabled':
    case 'enable':
      return true;
    case 'disabled':
    case 'disable':
      return false;
    default:
      throw new FieldError(place, `Expected 'enabled' or 'disabled' for string value, got '${word}'`);
  }
}

/** Values of the wrong type are reported at the block's place, as nats-server does. */
function readMap(map: ConfMap, place: ConfPlace, settings: ServerSettings, findings: Findings): void {
  let enabled = true;
  for (const [key, child] of map) {
    const name = key.toLowerCase();
    switch (name) {
      case 'strict':
        settings.strict = readStrict(child);
        break;
      case 'store':
      case 'store_dir':
      case 'storedir':
        setStoreDir(settings, child, place);
        break;
      case 'sync':
      case 'sync_interval':
        readSync(key, child, place, settings, findings);
        break;
      case 'max_memory_store':
      case 'max_mem_store':
      case 'max_mem':
        settings.maxMemoryBytes = readSize('max_mem_store', child);
        break;
      case 'max_file_store':
      case 'max_file':
        settings.maxStoreBytes = readSize('max_file_store', child);
        break;
      case 'enable':
      case 'enabled':
        enabled = asBoolean(child, place);
        break;
      case 'limits':
        readLimits(child, place, settings, findings);
        break;
      default:
        if (UNSUPPORTED.has(name)) findings.unsupported(`jetstream.${name}`, child);
        else findings.unknown(key, child);
    }
  }
  settings.jetstream = enabled;
}

function readStrict(node: ConfNode): boolean {
  if (typeof node.value === 'boolean') return node.value;
  const got = typeof node.value === 'string' ? node.value : `%!s(${goTypeName(node.value)}=${goValueText(node.value)})`;
  throw new FieldError(node.place, `Expected 'true' or 'false' for bool value, got '${got}'`);
}

/** The store directory may be given once only: in the block, at the top level, or with -sd. */
export function setStoreDir(settings: ServerSettings, node: ConfNode, place: ConfPlace = node.place): void {
  if ((settings.storeDir ?? '') !== '') throw new FieldError(node.place, "Duplicate 'store_dir' configuration");
  settings.storeDir = asString(node, place);
}

function readSync(key: string, node: ConfNode, place: ConfPlace, settings: ServerSettings, findings: Findings): void {
  settings.syncAlways = typeof node.value === 'string' && node.value.toLowerCase() === 'always';
  settings.syncIntervalMs = settings.syncAlways ? DEFAULT_SYNC_INTERVAL_MS : readDuration(key, node, findings, place);
}

/** A size: an integer, or a text of digits and one of K, M, G, T. */
function readSize(name: string, node: ConfNode): number {
  const { value, place } = node;
  if (typeof value === 'bigint') return safeNumber(value, place);
  if (typeof value !== 'string') throw new FieldError(place, `${name} must be int64 or string`);
  if (value === '') return 0;
  const digits = value.slice(0, -1);
  const number = parseGoInt(digits, 10);
  if (!number.ok) {
    throw new FieldError(place, `${name} strconv.ParseInt: parsing ${goQuote(digits)}: ${number.error}`);
  }
  const shift = SIZE_SHIFTS[value.slice(-1)];
  if (shift === undefined) {
    throw new FieldError(place, `${name} sizes defined as strings must end in K, M, G, T`);
  }
  return safeNumber(BigInt.asIntN(64, number.value << shift), place);
}

function readLimits(node: ConfNode, place: ConfPlace, settings: ServerSettings, findings: Findings): void {
  if (!(node.value instanceof Map)) {
    throw new FieldError(node.place, `Expected a map to define JetStreamLimits, got ${goTypeName(node.value)}`);
  }
  const limits: NonNullable<ServerSettings['limits']> = {};
  settings.limits = limits;
  for (const [key, child] of node.value) {
    const name = key.toLowerCase();
    switch (name) {
      case 'max_ack_pending':
        limits.maxAckPending = asInteger(child, place);
        break;
      case 'max_request_batch':
        limits.maxRequestBatch = asInteger(child, place);
        break;
      case 'default_max_consumers':
        limits.defaultMaxConsumers = asInteger(child, place);
        break;
      case 'duplicate_window':
        limits.duplicateWindowMs = readWindow(asString(child, place), findings);
        break;
      default:
        if (UNSUPPORTED_LIMITS.has(name)) findings.unsupported(`jetstream.limits.${name}`, child);
        else findings.unknown(key, child);
    }
  }
}

function readWindow(text: string, findings: Findings): number {
  const parsed = parseGoDuration(text);
  if (parsed.ok) return durationMs(parsed.ns);
  findings.problem(null, parsed.error); // nats-server names no place here
  return 0;
}
