/**
 * Publishes prebuilt chunks and counts the bytes that come back:
 * `node packages/server/bench/load.ts <port> [payload bytes] [subscribers] [seconds]`.
 */
import { connect, type Socket } from 'node:net';

const [port = '4222', payload = '16', subscribers = '1', seconds = '3'] = process.argv.slice(2);
const payloadBytes = Number(payload);
const count = Number(subscribers);
const SUBJECT = 'bench.subject';
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\nPING\r\n';
const CHUNK_BYTES = 128 * 1024;

function open(hello: string, onBytes: (bytes: number) => void): Promise<Socket> {
  return new Promise((resolve) => {
    const buffer = Buffer.alloc(256 * 1024);
    let isReady = false;
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      onread: {
        buffer,
        callback(bytes, read) {
          if (isReady) onBytes(bytes);
          else if (Buffer.from(read.buffer, 0, bytes).includes('PONG')) {
            isReady = true;
            resolve(socket);
          }
          return true;
        },
      },
    });
    socket.write(hello);
  });
}

let received = 0;
for (let i = 0; i < count; i++) {
  await open(`${CONNECT.replace('PING', `SUB ${SUBJECT} 1\r\nPING`)}`, (bytes) => {
    received += bytes;
  });
}
const frame = `PUB ${SUBJECT} ${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
const delivered = `MSG ${SUBJECT} 1 ${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`.length;
const frames = Math.max(1, Math.floor(CHUNK_BYTES / frame.length));
const chunk = Buffer.from(frame.repeat(frames));
const publisher = await open(CONNECT, () => {});
let isOver = false;
function pump(): void {
  while (!isOver && publisher.write(chunk));
}
publisher.on('drain', pump);
const warmUpMs = 500;
pump();
await new Promise((resolve) => setTimeout(resolve, warmUpMs));
const receivedBefore = received;
const start = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
const elapsed = performance.now() - start;
const messages = (received - receivedBefore) / delivered;
console.log(`${payloadBytes} B x${count}: ${(messages / elapsed / 1000).toFixed(3)} M msg/s delivered`);
isOver = true;
process.exit(0);
