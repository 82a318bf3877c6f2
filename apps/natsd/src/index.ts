export { ListenError } from '@nats-ts/server';
export { type EmbeddedJetStream, EmbeddedServer, type StartOptions, startServer } from './start-server.ts';
