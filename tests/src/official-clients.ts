/** The official clients, for tests of packages that do not depend on them. */
export { AckPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
export { connect } from '@nats-io/transport-node';
