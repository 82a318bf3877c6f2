import { splitHostPort } from '../go/address.ts';
import type { Setting } from './settings.ts';

const MAX_PORT = 65_535;

/** Empty, or host:port with a number. */
export function isAddress(value: unknown): boolean {
  if (value === '') return true;
  const port = splitHostPort(String(value))?.port ?? '';
  return /^\d{1,5}$/.test(port) && Number(port) <= MAX_PORT;
}

/** `host`, `host:port` or a URL, with a login or without. */
const SERVER = /^(?:[a-z]+:\/\/)?(?:\S*@)?(?=[^/])(?:\[[^\]\s]+\]|[^\s@:/?#[\]]*)(?::(\d{1,5}))?\/?$/i;

function isServer(address: unknown): boolean {
  const match = SERVER.exec(String(address));
  return match !== null && Number(match[1] ?? 0) <= MAX_PORT;
}

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;

/** What MICRO_REGISTRY takes, and what it means. */
export const REGISTRY_KINDS: Readonly<Record<string, 'nats-js-kv' | 'memory'>> = {
  'nats-js-kv': 'nats-js-kv',
  natsjs: 'nats-js-kv',
  'nats-js': 'nats-js-kv',
  memory: 'memory',
};

const yaml = { inYaml: true } as const;
const envOnly = { inYaml: false } as const;
const off = { kind: 'flag', default: 'false' } as const;
const emptyText = { kind: 'text', default: '' } as const;

/** Settings of the service registry, and of the gRPC server that serves it. */
export const REGISTRY_SETTINGS: readonly Setting[] = [
  {
    key: 'registry.type',
    option: 'registry.kind',
    ...envOnly,
    kind: 'text',
    default: 'nats-js-kv',
    env: ['MICRO_REGISTRY'],
    description: 'Where services register: a bucket in NATS, or this process.',
    emptyIsUnset: true,
    expected: `one of ${Object.keys(REGISTRY_KINDS).join(', ')}`,
    accepts: (value) => Object.hasOwn(REGISTRY_KINDS, String(value)),
  },
  {
    key: 'registry.address',
    option: 'registry.addresses',
    ...envOnly,
    kind: 'list',
    address: true,
    default: '127.0.0.1:9233',
    describeDefault: '127.0.0.1:9233, meant as this service itself',
    env: ['MICRO_REGISTRY_ADDRESS'],
    description:
      'NATS servers that hold the bucket, with commas between; one that is this service is used without a connection.',
    expected: 'addresses such as 127.0.0.1:9233 or nats://host:4222 with commas between',
    accepts: (value) => Array.isArray(value) && value.every(isServer),
  },
  {
    key: 'registry.auth_username',
    ...envOnly,
    ...emptyText,
    env: ['MICRO_REGISTRY_AUTH_USERNAME'],
    description: 'User at those servers.',
  },
  {
    key: 'registry.auth_password',
    ...envOnly,
    ...emptyText,
    env: ['MICRO_REGISTRY_AUTH_PASSWORD'],
    description: 'Password of that user.',
    secret: true,
  },
  {
    key: 'registry.enable_tls',
    ...envOnly,
    ...off,
    env: ['NATS_REGISTRY_ENABLE_TLS'],
    description: 'TLS towards those servers; they must speak it then.',
  },
  {
    key: 'registry.tls_root_ca_certificate',
    ...envOnly,
    ...emptyText,
    env: ['NATS_REGISTRY_TLS_ROOT_CA_CERTIFICATE'],
    description: "File with the authorities to trust there instead of the machine's.",
  },
  {
    key: 'registry.tls_cert',
    ...envOnly,
    ...emptyText,
    env: ['NATS_REGISTRY_TLS_CERT'],
    description: 'Certificate to show there.',
  },
  {
    key: 'registry.tls_key',
    ...envOnly,
    ...emptyText,
    env: ['NATS_REGISTRY_TLS_KEY'],
    description: 'Private key of that certificate.',
  },
  {
    key: 'registry.tls_insecure',
    ...envOnly,
    ...off,
    env: ['NATS_REGISTRY_TLS_INSECURE'],
    description: 'Take any certificate there, unless authorities are given.',
  },
  {
    key: 'registry.register_interval',
    ...envOnly,
    kind: 'duration',
    default: '25s',
    env: ['EXPERIMENTAL_REGISTER_INTERVAL'],
    description: 'How often a service says that it is there.',
    accepts: isPositive,
    expected: 'a duration above zero, such as 25s',
  },
  {
    key: 'registry.register_ttl',
    ...envOnly,
    kind: 'duration',
    default: '30s',
    env: ['EXPERIMENTAL_REGISTER_TTL'],
    description: 'How long after that it counts as gone.',
    accepts: isPositive,
    expected: 'a duration above zero, such as 30s',
  },
  {
    key: 'grpc.addr',
    ...yaml,
    ...emptyText,
    env: ['NATS_GRPC_ADDR'],
    description: 'Address of the gRPC server (registry, health, reflection); empty: none.',
    expected: 'an address as host:port',
    accepts: isAddress,
  },
  {
    key: 'grpc.token',
    ...yaml,
    ...emptyText,
    env: ['NATS_GRPC_TOKEN'],
    description: 'Token that the gRPC server asks for, except for health.',
    secret: true,
  },
  {
    key: 'grpc.tls_cert',
    ...yaml,
    ...emptyText,
    env: ['NATS_GRPC_TLS_CERT'],
    description: 'Certificate of the gRPC server; empty: no TLS.',
  },
  {
    key: 'grpc.tls_key',
    ...yaml,
    ...emptyText,
    env: ['NATS_GRPC_TLS_KEY'],
    description: 'Private key of that certificate.',
  },
  {
    key: 'grpc.tls_client_ca',
    ...yaml,
    ...emptyText,
    env: ['NATS_GRPC_TLS_CLIENT_CA'],
    description: 'Authority whose certificates gRPC clients must show; empty: they need none.',
  },
];
