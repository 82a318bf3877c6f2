import { subjectToBytes } from '@nats-ts/protocol';
import { encodeHead } from '../delivery/subscription.ts';
import type { Connection } from './connection.ts';

/**
 * The status for a request that reached nobody, or null when the requester has no plain subscription for the reply
 * (spec/core.md 1.4). It counts neither as a delivery nor towards UNSUB max.
 */
export function noResponders(connection: Connection, subject: string, reply: string): Buffer | null {
  const { plain } = connection.account.sublist.match(reply);
  const subscription = plain.find((candidate) => candidate.connection === connection);
  if (subscription === undefined) return null;
  const subjectBytes = subjectToBytes(subject);
  const size = 32 + subjectBytes.length;
  return Buffer.concat([
    encodeHead(reply, subscription.sid),
    Buffer.from(`${size} ${size}\r\nNATS/1.0 503\r\nNats-Subject: `),
    subjectBytes,
    Buffer.from('\r\n\r\n\r\n'),
  ]);
}
