import type { Socket } from 'node:net';
import { CLOSE_REASONS, type CloseReason } from '@nats-ts/protocol';
import { CLOSE_FLUSH_MS } from '../limits.ts';
import type { Clock } from '../ports.ts';
import type { Outbound } from './outbound.ts';

/** Close reasons after which the peer gets no last bytes: it does not take any, or it has had its chance. */
const SILENT: ReadonlySet<CloseReason> = new Set([
  CLOSE_REASONS.readError,
  CLOSE_REASONS.writeError,
  CLOSE_REASONS.slowConsumerPending,
  CLOSE_REASONS.slowConsumerDeadline,
  CLOSE_REASONS.tlsHandshake,
]);

/**
 * Closes a socket. What is queued goes out first, within 100 ms, unless the reason says that nobody takes it. What the
 * client still sends is read and thrown away: closing on unread input would reset the connection, and the client might
 * lose the last bytes. The socket closes by itself when the client has closed too.
 */
export function endSocket(socket: Socket, outbound: Outbound, reason: CloseReason, clock: Clock): void {
  if (SILENT.has(reason)) {
    outbound.close();
    socket.destroy();
    return;
  }
  outbound.finish();
  socket.end();
  socket.resume();
  const timer = clock.setTimer(() => socket.destroy(), CLOSE_FLUSH_MS);
  socket.once('close', () => timer.cancel());
}
