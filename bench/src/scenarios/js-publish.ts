import { Connection } from '../connection.ts';
import type { ScenarioResult } from '../scenario.ts';

export interface JsPublishSpec {
  kind: 'js-publish';
  port: number;
  payloadBytes: number;
  messages: number;
  /** Publishes that may wait for their ack at once. */
  window: number;
}

const REPLY_DIGITS = 7;

/** Creates a file stream and publishes with a reply subject of its own per message, `window` at a time. */
export async function jsPublish(spec: JsPublishSpec): Promise<ScenarioResult> {
  const connection = await Connection.open(spec.port, 'js-publish');
  await createStream(connection);
  const { seconds, latencies } = await publishAcked(connection, spec);
  connection.close();
  const result = { seconds, messages: spec.messages, delivered: spec.messages };
  if (!latencies) return result;
  latencies.sort();
  return {
    ...result,
    p50Us: latencies[Math.floor(spec.messages * 0.5)] ?? 0,
    p99Us: latencies[Math.floor(spec.messages * 0.99)] ?? 0,
  };
}

/** Creates the file stream that both JetStream scenarios use. */
export async function createStream(connection: Connection): Promise<void> {
  const config = {
    name: 'BENCH',
    subjects: ['bench.js'],
    retention: 'limits',
    storage: 'file',
    discard: 'old',
    max_msgs: -1,
    max_bytes: -1,
  };
  const created = await connection.request('$JS.API.STREAM.CREATE.BENCH', JSON.stringify(config), 900_001);
  if (!created.includes('"created"')) throw new Error(`could not create the stream: ${created}`);
}

/** Publishes to the stream, `window` messages waiting for their ack at once; latencies only where one waits. */
export async function publishAcked(
  connection: Connection,
  spec: Pick<JsPublishSpec, 'payloadBytes' | 'messages' | 'window'>,
): Promise<{ seconds: number; latencies: Float64Array | null }> {
  await connection.flush('SUB _INBOX.bench.ack.* 2\r\n');
  const payload = 'x'.repeat(spec.payloadBytes);
  const prefix = 'PUB bench.js _INBOX.bench.ack.';
  const one = Buffer.from(`${prefix}${'0'.repeat(REPLY_DIGITS)} ${spec.payloadBytes}\r\n${payload}\r\n`);
  const batch = Buffer.concat(Array.from({ length: Math.min(spec.window, 256) }, () => one));
  let sent = 0;
  let acked = 0;
  let failure: string | null = null;
  const latencies = spec.window === 1 ? new Float64Array(spec.messages) : null;
  let sentAt = 0;

  const send = (count: number): void => {
    while (count > 0) {
      const now = Math.min(count, Math.floor(batch.length / one.length));
      for (let i = 0; i < now; i++) writeDigits(batch, i * one.length + prefix.length, sent + i);
      sent += now;
      count -= now;
      sentAt = performance.now();
      connection.socket.write(Buffer.from(batch.subarray(0, now * one.length)));
    }
  };

  const start = performance.now();
  await new Promise<void>((resolve) => {
    const counter = new AckCounter((text) => {
      failure ??= text;
    });
    connection.onBytes((buffer, length) => {
      const before = acked;
      acked += counter.count(buffer, length);
      if (latencies && acked > before) latencies[before] = (performance.now() - sentAt) * 1000;
      if (failure !== null || acked >= spec.messages) resolve();
      // Refill in half-window steps, as an asynchronous publisher with a window does.
      else if (sent < spec.messages && sent - acked <= spec.window / 2)
        send(Math.min(spec.window - (sent - acked), spec.messages - sent));
    });
    send(Math.min(spec.window, spec.messages));
  });
  const seconds = (performance.now() - start) / 1000;
  if (failure !== null) throw new Error(`publish refused: ${failure}`);
  return { seconds, latencies };
}

function writeDigits(target: Buffer, offset: number, value: number): void {
  for (let i = REPLY_DIGITS - 1; i >= 0; i--) {
    target[offset + i] = 48 + (value % 10);
    value = Math.floor(value / 10);
  }
}

/** Counts acks: every one is `MSG … \r\n{"stream":…}\r\n`, so lines that start with `M` and lines that start with `{`. */
class AckCounter {
  readonly #onError: (text: string) => void;
  #atLineStart = true;

  constructor(onError: (text: string) => void) {
    this.#onError = onError;
  }

  count(buffer: Buffer, length: number): number {
    let acks = 0;
    let at = 0;
    let lineStart = this.#atLineStart;
    while (at < length) {
      const first = buffer[at];
      if (lineStart && first === 0x7b) {
        acks++;
        if (buffer.toString('latin1', at, Math.min(length, at + 9)) === '{"error":')
          this.#onError(buffer.toString('latin1', at, Math.min(length, at + 200)));
      } else if (lineStart && (first === 0x48 || first === 0x2d)) {
        this.#onError(buffer.toString('latin1', at, Math.min(length, at + 200)));
      }
      const end = buffer.indexOf(10, at);
      if (end < 0 || end >= length) {
        lineStart = false;
        break;
      }
      at = end + 1;
      lineStart = true;
    }
    this.#atLineStart = lineStart;
    return acks;
  }
}
