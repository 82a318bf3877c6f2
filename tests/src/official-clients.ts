/** The official clients, for tests of packages that do not depend on them. */
export { AckPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
export { Kvm } from '@nats-io/kv';
export { connect } from '@nats-io/transport-node';
