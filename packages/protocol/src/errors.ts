/**
 * Every text a client can receive as `-ERR '<text>'`, in the exact case of nats-server 2.15.1: client libraries match
 * on these words. Source: spec/core.md 1.6.
 */

/** Texts without a variable part. */
export const WIRE_ERRORS = {
  unknownProtocolOperation: 'Unknown Protocol Operation',
  maxControlLine: 'maximum control line exceeded',
  maxPayload: 'Maximum Payload Violation',
  authorization: 'Authorization Violation',
  authenticationTimeout: 'Authentication Timeout',
  userExpired: 'User Authentication Expired',
  accountExpired: 'Account Authentication Expired',
  userRevoked: 'User Authentication Revoked',
  maxConnections: 'maximum connections exceeded',
  maxAccountConnections: 'maximum account active connections exceeded',
  maxSubscriptions: 'maximum subscriptions exceeded',
  accountRegistration: 'Failed Account Registration',
  invalidSubject: 'Invalid Subject',
  invalidPublishSubject: 'Invalid Publish Subject',
  invalidClientProtocol: 'invalid client protocol',
  noRespondersRequiresHeaders: 'no responders requires headers support',
  staleConnection: 'Stale Connection',
  tlsRequired: 'Secure Connection - TLS Required',
  connectionThrottling: 'Connection throttling is active. Please try again later.',
  routePort: 'attempted to connect to route port',
  leafNodePort: 'attempted to connect to leaf node port',
  gatewayPort: 'attempted to connect to gateway port',
} as const;

/** Why a connection was closed, as connz and the log name it. Source: spec/core.md 8.2. */
export const CLOSE_REASONS = {
  clientClosed: 'Client Closed',
  authenticationTimeout: 'Authentication Timeout',
  authenticationFailure: 'Authentication Failure',
  tlsHandshake: 'TLS Handshake Failure',
  slowConsumerPending: 'Slow Consumer (Pending Bytes)',
  slowConsumerDeadline: 'Slow Consumer (Write Deadline)',
  writeError: 'Write Error',
  readError: 'Read Error',
  parseError: 'Parse Error',
  staleConnection: 'Stale Connection',
  protocolViolation: 'Protocol Violation',
  badClientProtocol: 'Bad Client Protocol Version',
  maxConnections: 'Maximum Connections Exceeded',
  maxAccountConnections: 'Maximum Account Connections Exceeded',
  maxPayload: 'Maximum Message Payload Exceeded',
  maxControlLine: 'Maximum Control Line Exceeded',
  maxSubscriptions: 'Maximum Subscriptions Exceeded',
  serverShutdown: 'Server Shutdown',
  authenticationExpired: 'Authentication Expired',
  credentialsRevoked: 'Credentials Revoked',
  internalClient: 'Internal Client',
  noRespondersRequiresHeaders: 'No Responders Requires Headers',
  kicked: 'Kicked',
} as const;

/** A close reason in the words of nats-server. */
export type CloseReason = (typeof CLOSE_REASONS)[keyof typeof CLOSE_REASONS];
