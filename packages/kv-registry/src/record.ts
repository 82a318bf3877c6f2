import { RegistryError } from './registry-error.ts';
import type { Service } from './service.ts';

/** Bytes a stored record may have; a service that describes itself with more is refused. */
export const RECORD_BYTES_MAX: number = 1024 * 1024;

/** What identifies one instance of a service in the bucket. */
export interface RecordKey {
  readonly name: string;
  /** Id of the process, a UUID. */
  readonly id: string;
  readonly version: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** `<service>@<process id>@<version>`, the key of the Go registry since multiple instances are told apart (ocis#9535). */
export function formatKey(key: RecordKey): string {
  for (const [part, text] of Object.entries(key)) {
    if (text === '' || (part !== 'version' && text.includes('@'))) {
      throw new RegistryError(
        'invalid',
        `${part} ${JSON.stringify(text)} of a service must not be empty and must not contain "@"`,
      );
    }
  }
  return `${key.name}@${key.id}@${key.version}`;
}

/** Null for keys that are not of this form; entries of others may share the bucket. */
export function parseKey(text: string): RecordKey | null {
  const first = text.indexOf('@');
  const second = text.indexOf('@', first + 1);
  if (first <= 0 || second <= first + 1 || second === text.length - 1) return null;
  return { name: text.slice(0, first), id: text.slice(first + 1, second), version: text.slice(second + 1) };
}

/** The envelope of go-micro's nats-js-kv store around the service's JSON (spec/ocis.md 4). Go's field order. */
export function encodeRecord(key: RecordKey, service: Service): Uint8Array {
  const { name, version, metadata, endpoints, nodes } = service;
  const data = Buffer.from(JSON.stringify({ name, version, metadata, endpoints: endpoints ?? [], nodes })).toString(
    'base64',
  );
  const bytes = encoder.encode(JSON.stringify({ key: formatKey(key), data, metadata: null }));
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new RegistryError(
      'invalid',
      `service ${name} describes itself with ${bytes.length} bytes, at most ${RECORD_BYTES_MAX} are allowed`,
    );
  }
  return bytes;
}

/** Reads an envelope; throws a RegistryError that says what is wrong with it. */
export function decodeRecord(bytes: Uint8Array): Service {
  const envelope = parseObject(bytes, 'registry record');
  const { data } = envelope;
  if (typeof data !== 'string') throw new RegistryError('malformed', 'registry record: "data" is not a string');
  const service = parseObject(Buffer.from(data, 'base64'), 'registry record, data');
  if (typeof service['name'] !== 'string' || service['name'] === '')
    throw new RegistryError('malformed', 'registry record: the service has no name');
  return {
    name: service['name'],
    version: typeof service['version'] === 'string' ? service['version'] : '',
    metadata: stringMap(service['metadata']),
    endpoints: Array.isArray(service['endpoints']) ? (service['endpoints'] as Service['endpoints']) : null,
    nodes: nodesOf(service['nodes']),
  };
}

function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new RegistryError('malformed', `${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RegistryError('malformed', `${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

function nodesOf(value: unknown): Service['nodes'] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(
      (node): node is Record<string, unknown> =>
        typeof node === 'object' && node !== null && typeof (node as Record<string, unknown>)['id'] === 'string',
    )
    .map((node) => ({
      id: String(node['id']),
      address: typeof node['address'] === 'string' ? node['address'] : '',
      metadata: stringMap(node['metadata']),
    }));
}

function stringMap(value: unknown): Record<string, string> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
