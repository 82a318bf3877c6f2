import { goQuote, type PublishArgs, subjectFromBytes, WIRE_ERRORS } from '@nats-ts/protocol';
import { isLiteralSubject } from '@nats-ts/sublist';
import type { Connection } from './connection.ts';

const UNDERSCORE = 0x5f;
const DOLLAR = 0x24;
const N = 0x4e;
const R = 0x52;
const G = 0x47;
const DOT = 0x2e;
const JS_ACK = Buffer.from('$JS.ACK.');

/** True for replies only the server itself may ask for: `_R_.…`, `_GR_.…` and `$JS.ACK.…` (spec/core.md 1.3). */
export function isReservedReply(args: PublishArgs): boolean {
  const buffer = args.buffer;
  const start = args.replyStart;
  const length = args.replyEnd - start;
  const first = buffer[start];
  if (first === UNDERSCORE) {
    if (buffer[start + 1] === R) {
      return length >= 4 && buffer[start + 2] === UNDERSCORE && buffer[start + 3] === DOT;
    }
    return (
      length > 5 &&
      buffer[start + 1] === G &&
      buffer[start + 2] === R &&
      buffer[start + 3] === UNDERSCORE &&
      buffer[start + 4] === DOT
    );
  }
  if (first !== DOLLAR || length <= JS_ACK.length) return false;
  return buffer.compare(JS_ACK, 0, JS_ACK.length, start, start + JS_ACK.length) === 0;
}

/** True for subjects that begin as the reserved ones do, `_GR_.…` and `$NRG.…`, and for few others. */
export function maySubjectBeReserved(args: PublishArgs): boolean {
  const start = args.subjectStart;
  const first = args.buffer[start];
  if (first === DOLLAR) return args.buffer[start + 1] === N;
  return first === UNDERSCORE && args.buffer[start + 1] === G;
}

/**
 * The checks most publishes need none of, in nats-server's order: form (pedantic), reserved subject, permissions,
 * reserved reply; then the `+OK` of a verbose connection. False = the message is dropped.
 */
export function checkPublish(client: Connection, args: PublishArgs, subject: string): boolean {
  if (client.traces) client.trace.published(args);
  if (client.options.pedantic && !isLiteralSubject(subject)) client.sendError(WIRE_ERRORS.invalidPublishSubject);
  if (client.account.isReserved(subject) || !client.mayPublish(subject)) {
    client.context.counters.permissionViolations++;
    client.sendError(`Permissions Violation for Publish to ${goQuote(subject)}`);
    client.log.error(`Publish Violation - Subject ${goQuote(subject)}`);
    return false;
  }
  if (args.replyStart >= 0 && isReservedReply(args)) {
    const reply = subjectFromBytes(args.buffer, args.replyStart, args.replyEnd);
    client.context.counters.permissionViolations++;
    client.sendError(`Permissions Violation for Publish with Reply of ${goQuote(reply)}`);
    client.log.error(`Publish Violation - Reply ${goQuote(reply)}`);
    return false;
  }
  if (client.options.verbose) client.sendOk();
  return true;
}
