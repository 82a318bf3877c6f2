import { Connection } from '../connection.ts';
import type { ScenarioResult } from '../scenario.ts';
import { createStream, publishAcked } from './js-publish.ts';

/** Unacknowledged publishes while the stream is filled. */
const FILL_WINDOW = 5_000;

export interface JsConsumeSpec {
  kind: 'js-consume';
  port: number;
  payloadBytes: number;
  messages: number;
  /** Messages per pull request. */
  batch: number;
}

/** Fills a file stream, then pulls everything through a durable consumer, acking each message explicitly. */
export async function jsConsume(spec: JsConsumeSpec): Promise<ScenarioResult> {
  const connection = await Connection.open(spec.port, 'js-consume');
  await createStream(connection);
  await publishAcked(connection, { ...spec, window: FILL_WINDOW });
  const config = {
    durable_name: 'C',
    ack_policy: 'explicit',
    max_ack_pending: spec.batch * 4,
    deliver_policy: 'all',
    replay_policy: 'instant',
  };
  await expectOk(connection, '$JS.API.CONSUMER.DURABLE.CREATE.BENCH.C', { stream_name: 'BENCH', config }, 900_003);
  await connection.flush('SUB _INBOX.bench.pull 3\r\n');

  const body = JSON.stringify({ batch: spec.batch, expires: 30_000_000_000 });
  const next = Buffer.from(`PUB $JS.API.CONSUMER.MSG.NEXT.BENCH.C _INBOX.bench.pull ${body.length}\r\n${body}\r\n`);
  let received = 0;
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const reader = new MessageReader();
    let requested = spec.batch * 2;
    connection.onBytes((buffer, length) => {
      const acks = reader.read(buffer, length);
      received += reader.messages;
      if (reader.status) reject(new Error(`pull answered ${reader.status}`));
      if (acks.length > 0) connection.socket.write(acks);
      // Two requests are always out, as the official clients keep their buffers filled.
      while (requested - received <= spec.batch && requested < spec.messages + spec.batch) {
        connection.socket.write(next);
        requested += spec.batch;
      }
      if (received >= spec.messages) resolve();
    });
    connection.socket.write(Buffer.concat([next, next]));
  });
  await connection.flush();
  const seconds = (performance.now() - start) / 1000;
  connection.close();
  return { seconds, messages: spec.messages, delivered: received };
}

async function expectOk(connection: Connection, subject: string, body: unknown, sid: number): Promise<void> {
  const answer = await connection.request(subject, JSON.stringify(body), sid);
  if (answer.includes('"error"')) throw new Error(`${subject}: ${answer}`);
}

const ACK_HEAD = Buffer.from('PUB ');
const ACK_TAIL = Buffer.from(' 4\r\n+ACK\r\n');

/** Finds MSG heads in the stream of bytes and builds the acks for them. */
class MessageReader {
  messages = 0;
  status: string | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #acks: Buffer = Buffer.allocUnsafe(1024 * 1024);

  read(chunk: Buffer, length: number): Buffer {
    this.messages = 0;
    const bytes =
      this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk.subarray(0, length)]) : chunk.subarray(0, length);
    let used = 0;
    let at = 0;
    while (at < bytes.length) {
      const lineEnd = bytes.indexOf(10, at);
      if (lineEnd < 0) break;
      const verb = bytes[at];
      if (verb === 0x50 || verb === 0x2b) {
        at = lineEnd + 1; // PING or +OK
        continue;
      }
      if (verb !== 0x4d) {
        this.status = bytes.toString('latin1', at, Math.min(bytes.length, lineEnd + 60));
        break;
      }
      // MSG <subject> <sid> <reply> <size>
      const subjectEnd = bytes.indexOf(0x20, at + 4);
      const sidEnd = bytes.indexOf(0x20, subjectEnd + 1);
      const replyEnd = bytes.indexOf(0x20, sidEnd + 1);
      let size = 0;
      for (let i = replyEnd + 1; i < lineEnd - 1; i++) size = size * 10 + ((bytes[i] ?? 48) - 48);
      const end = lineEnd + 1 + size + 2;
      if (end > bytes.length) break;
      if (used + 512 > this.#acks.length)
        this.#acks = Buffer.concat([this.#acks, Buffer.allocUnsafe(this.#acks.length)]);
      used += ACK_HEAD.copy(this.#acks, used);
      used += bytes.copy(this.#acks, used, sidEnd + 1, replyEnd);
      used += ACK_TAIL.copy(this.#acks, used);
      this.messages++;
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return Buffer.from(this.#acks.subarray(0, used));
  }
}
