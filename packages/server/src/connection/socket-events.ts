import type { Socket } from 'node:net';
import { CLOSE_REASONS } from '@nats-ts/protocol';
import { ORIGIN_ELSEWHERE } from '../delivery/message-frame.ts';
import type { Connection } from './connection.ts';

/** Connects the events of a socket to the connection it belongs to, and begins to read. */
export function attach(connection: Connection, socket: Socket): void {
  socket.on('data', (chunk: Buffer) => connection.intake.receive(chunk, ORIGIN_ELSEWHERE));
  socket.on('end', () => connection.close(CLOSE_REASONS.clientClosed));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    connection.close(error.syscall === 'write' ? CLOSE_REASONS.writeError : CLOSE_REASONS.readError);
  });
  socket.on('close', () => connection.close(CLOSE_REASONS.clientClosed));
  socket.resume();
}
