export { type ConnectOptions, connectRegistry, RemoteRegistry } from './connect-registry.ts';
export { NatsBucket } from './nats-bucket.ts';
export type { NatsOptions, NatsTls } from './options.ts';
