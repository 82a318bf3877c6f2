/**
 * Messages per second through ServerParser on one core, from 64 KiB chunks.
 *
 *   node --conditions=@nats-ts/source packages/protocol/bench/server-parser.bench.ts
 */
import { type ClientOperations, type PublishArgs, RecentSubjects, ServerParser } from '@nats-ts/protocol';

const CHUNK_BYTES = 64 * 1024;
const ROUND_BYTES = 256 * 1024 * 1024;
const ROUNDS = 5;

/** Counts, and on demand looks every subject up as a server does. */
class Counter implements ClientOperations {
  readonly #recent: RecentSubjects<number> | null;
  messages = 0;
  bytes = 0;
  constructor(recent: RecentSubjects<number> | null) {
    this.#recent = recent;
  }
  onPublish(args: PublishArgs): void {
    this.messages++;
    this.bytes += args.payloadEnd - args.payloadStart;
    if (this.#recent !== null)
      this.bytes += this.#recent.lookup(args.buffer, args.subjectStart, args.subjectEnd).generation;
  }
  onConnect(): void {}
  onInfo(): void {}
  onPing(): void {}
  onPong(): void {}
  onSubscribe(): void {}
  onUnsubscribe(): void {}
  onClientError(): void {}
  onOk(): void {}
  onViolation(): void {
    throw new Error('the input of the bench is not valid');
  }
}

/** A stream of one kind of message, cut into chunks wherever they end. */
function chunksOf(message: (n: number) => Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let n = 0; bytes < 64 * CHUNK_BYTES; n++) {
    const part = message(n);
    parts.push(part);
    bytes += part.length;
  }
  const stream = Buffer.concat(parts);
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += CHUNK_BYTES) chunks.push(stream.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

function measure(name: string, message: (n: number) => Buffer, lookup: boolean): void {
  const chunks = chunksOf(message);
  const streamBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const counter = new Counter(lookup ? new RecentSubjects<number>() : null);
    const parser = new ServerParser(counter, {
      maxControlLine: 4096,
      maxPayload: 1 << 20,
      headers: true,
      connectRequired: false,
    });
    const start = process.hrtime.bigint();
    for (let bytes = 0; bytes < ROUND_BYTES; bytes += streamBytes) for (const chunk of chunks) parser.parse(chunk);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    rates.push(counter.messages / seconds / 1e6);
  }
  rates.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(44)} ${rates[ROUNDS >> 1]!.toFixed(2).padStart(6)} M msgs/s (${rates[0]!.toFixed(2)}–${rates.at(-1)!.toFixed(2)})`,
  );
}

const payload = (bytes: number): Buffer => Buffer.alloc(bytes, 'x');
const publish = (subject: string, bytes: number): Buffer => {
  const frame = Buffer.concat([Buffer.from(`PUB ${subject} ${bytes}\r\n`), payload(bytes), Buffer.from('\r\n')]);
  return frame;
};
const header = Buffer.from('NATS/1.0\r\nNats-Msg-Id: 1234\r\n\r\n');
const headerPublish = (bytes: number): Buffer =>
  Buffer.concat([
    Buffer.from(`HPUB orders.eu.created _INBOX.abcdefgh.1 ${header.length} ${header.length + bytes}\r\n`),
    header,
    payload(bytes),
    Buffer.from('\r\n'),
  ]);

for (const bytes of [16, 128, 1024, 16_384]) measure(`PUB foo ${bytes} B`, () => publish('foo', bytes), false);
measure('PUB orders.eu.created 128 B', () => publish('orders.eu.created', 128), false);
measure('PUB orders.eu.created 128 B, subject looked up', () => publish('orders.eu.created', 128), true);
measure('PUB foo 16 B, subject looked up', () => publish('foo', 16), true);
measure('PUB of 500 subjects 128 B, looked up', (n) => publish(`orders.eu.${n % 500}.created`, 128), true);
measure('PUB of 1 M subjects 128 B, looked up', (n) => publish(`orders.eu.${n * 7919}.created`, 128), true);
measure('HPUB with reply 128 B', () => headerPublish(128), false);
